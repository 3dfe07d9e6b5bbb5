/** Bundles what ships: dist/ashlar.js and its chunks, and dist/rootwrap.js, one file for a directory of root's. */
import { chmod, readdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/**
 * What every service would load and never use: zod's messages in forty languages, knex's other databases. Two megabytes of
 * memory for each process.
 */
const onlyWhatIsUsed: Plugin = {
  name: 'only what is used',
  setup(build) {
    build.onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
    build.onLoad({ filter: /node_modules\/knex\/lib\/dialects\/[^/]+\/index\.js$/ }, ({ path }) =>
      path.includes('/dialects/postgres/') ? undefined : { contents: 'module.exports = class {};' },
    );
  },
};

const { metafile } = await build({
  plugins: [onlyWhatIsUsed],
  metafile: true,
  entryPoints: [`${root}src/cmd/ashlar.ts`],
  outdir: `${root}dist`,
  bundle: true,
  splitting: true,
  minify: true,
  // Readable stack traces cost 4 % of the size.
  keepNames: true,
  sourcemap: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // knex reaches for the drivers of other databases, pg for its native binding; none is installed.
  external: [
    'better-sqlite3',
    'mariadb',
    'mysql',
    'mysql2',
    'oracledb',
    'pg-native',
    'pg-query-stream',
    'sqlite3',
    'tedious',
  ],
  // CommonJS packages inside an ES module still want `require`.
  banner: {
    js: [
      '#!/usr/bin/env node',
      "import { createRequire as ashlarCreateRequire } from 'node:module';",
      'const require = ashlarCreateRequire(import.meta.url);',
    ].join('\n'),
  },
  logLevel: 'warning',
});
await chmod(`${root}dist/ashlar.js`, 0o755);
// What earlier builds left goes last, so that a program that is just being started finds all of its chunks.
const fresh = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of await readdir(`${root}dist`)) if (!fresh.has(name)) await rm(`${root}dist/${name}`);

// For `npx ashlar`. A `bin` in package.json would make npx install the checkout into a cache of its own at every call.
const link = `${root}node_modules/.bin/ashlar`;
await rm(link, { force: true });
await symlink('../../dist/ashlar.js', link);

// Not minified: whoever lets it run as root can read it.
await build({
  entryPoints: [`${root}rootwrap/main.ts`],
  outfile: `${root}dist/rootwrap.js`,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
await chmod(`${root}dist/rootwrap.js`, 0o755);
