/** Bundles what ships: dist/ashlar.js and its chunks. */
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
await rm(`${root}dist`, { recursive: true, force: true });
await build({
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
