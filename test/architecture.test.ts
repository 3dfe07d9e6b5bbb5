import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { findCircles, findViolations } from './architecture/rules.ts';
import { type ScannedFile, scanSource } from './architecture/scan-source.ts';

const root = join(import.meta.dirname, '..');

describe('the house', () => {
  it('keeps its floors, its owners of packages and its sizes', async () => {
    const files = await scanTree();
    assert.ok(files.length > 50, `only ${files.length} files found: the scan itself is broken`);
    assert.ok(files.flatMap((file) => file.imports).length > 100, 'hardly any import found: the scan itself is broken');
    const violations = findViolations(files);
    assert.deepEqual(violations, [], `\n${violations.join('\n')}`);
  });

  it('introduces every folder with sources, in its README.md or in the one above', async () => {
    const folders = [...new Set((await scanTree()).map((file) => dirname(file.path)))].toSorted();
    const readmes = new Map(await readAll(/(?:^|\/)README\.md$/));
    const missing = folders.filter((folder) => {
      const above = readmes.get(join(dirname(folder), 'README.md')) ?? '';
      return !readmes.has(join(folder, 'README.md')) && !above.includes(`${basename(folder)}/`);
    });
    assert.deepEqual(missing, [], `not introduced: ${missing.join(', ')}`);
  });
});

describe('the checker', () => {
  const lib = { 'src/lib/a.ts': '' };
  const cases: readonly { readonly name: string; readonly files: Record<string, string>; readonly expect: RegExp }[] = [
    {
      name: 'upward',
      files: { ...lib, 'src/lib/b.ts': "import { x } from '../db/x.ts';", 'src/db/x.ts': '' },
      expect: /upward, from floor 0 to 3/,
    },
    {
      name: 'sideways',
      files: { 'src/api/a.ts': "import type { X } from '../volume/x.ts';", 'src/volume/x.ts': '' },
      expect: /sideways on floor 5/,
    },
    {
      name: 'sideways by a type of several lines',
      files: { 'src/db/a.ts': "import {\n  type A,\n  b,\n} from '../exec/x.ts';", 'src/exec/x.ts': '' },
      expect: /sideways on floor 3/,
    },
    {
      name: 'sideways on the first floor',
      files: { 'src/config/a.ts': "export * from '../model/x.ts';", 'src/model/x.ts': '' },
      expect: /sideways on floor 1/,
    },
    {
      name: 'upward by a dynamic import',
      files: { 'src/service/a.ts': "const x = await import('../cmd/x.ts');", 'src/cmd/x.ts': '' },
      expect: /upward/,
    },
    {
      name: 'a room without a floor',
      files: { 'src/attic/a.ts': "import { x } from '../lib/a.ts';", ...lib },
      expect: /no floor/,
    },
    {
      name: 'a package of another room',
      files: { 'src/api/a.ts': "import knex from 'knex';" },
      expect: /belongs to src\/db alone/,
    },
    {
      name: 'a part of a package of another room',
      files: { 'src/api/a.ts': "import x from 'pg/lib/x.js';" },
      expect: /belongs to src\/db alone/,
    },
    {
      name: 'a package that nobody owns',
      files: { 'src/api/a.ts': "import x from 'left-pad';" },
      expect: /no room owns/,
    },
    {
      name: 'a package in a driver',
      files: { 'drivers/volume/a.ts': "import { z } from 'zod';" },
      expect: /belongs to src alone/,
    },
    {
      name: 'processes started outside exec',
      files: { 'drivers/volume/a.ts': "import { spawn } from 'node:child_process';" },
      expect: /belongs to src\/exec/,
    },
    {
      name: 'a module of Node without node:',
      files: { 'src/lib/a.ts': "import fs from 'fs';" },
      expect: /write 'node:fs'/,
    },
    {
      name: "a driver that goes round '#driver'",
      files: { 'drivers/volume/a.ts': "import { x } from '../../src/lib/a.ts';", ...lib },
      expect: /a driver imports '#driver'/,
    },
    {
      name: 'a driver that uses another',
      files: { 'drivers/volume/a/index.ts': "import { x } from '../b/index.ts';", 'drivers/volume/b/index.ts': '' },
      expect: /a driver imports '#driver'/,
    },
    {
      name: 'rootwrap with sources of src',
      files: { 'rootwrap/main.ts': "import { x } from '../src/lib/a.ts';", ...lib },
      expect: /its own files alone/,
    },
    {
      name: 'rootwrap with a package',
      files: { 'rootwrap/main.ts': "import { z } from 'zod';" },
      expect: /belongs to src alone/,
    },
    {
      name: 'drivers imported outside cmd',
      files: { 'src/volume/a.ts': "import { x } from '../../drivers/volume/x.ts';", 'drivers/volume/x.ts': '' },
      expect: /only src\/cmd imports from drivers/,
    },
    {
      name: 'an import that leads nowhere',
      files: { 'src/lib/a.ts': "import { x } from './b.ts';" },
      expect: /no such file/,
    },
    {
      name: 'package.json read outside cmd',
      files: { 'src/api/a.ts': "import x from '../../package.json' with { type: 'json' };" },
      expect: /only src\/cmd/,
    },
    {
      name: 'the environment read outside cmd',
      files: { 'src/api/a.ts': 'const x = process.env.HOME;' },
      expect: /reads process\.env/,
    },
    {
      name: 'arguments read inside a template',
      files: { 'src/api/a.ts': `const x = \`a \${process.argv[2]}\`;` },
      expect: /reads process\.argv/,
    },
    {
      name: 'the environment imported',
      files: { 'src/api/a.ts': "import { env } from 'node:process';" },
      expect: /reads process\.env/,
    },
    { name: 'a file too long', files: { 'src/lib/a.ts': '\n'.repeat(401) }, expect: /401 lines/ },
    { name: 'a name that is not kebab-case', files: { 'src/lib/someThing.ts': '' }, expect: /kebab-case/ },
    {
      name: 'a circle',
      files: { 'src/lib/a.ts': "import './b.ts';", 'src/lib/b.ts': "import type { A } from './a.ts';" },
      expect: /a\.ts -> .*b\.ts -> .*a\.ts: a circle/,
    },
  ];
  for (const { name, files, expect } of cases) {
    it(`finds ${name}`, () => {
      const violations = findViolations(scan(files));
      assert.equal(violations.length, 1, violations.join('\n'));
      assert.match(violations[0]!, expect);
    });
  }

  it('accepts what is allowed', () => {
    const allowed = scan({
      'src/lib/a.ts': "import { join } from 'node:path';",
      'src/lib/b.ts': "import { a } from './a.ts';",
      'src/driver/index.ts': "export { a } from '../lib/a.ts';",
      'src/db/a.ts': "import knex from 'knex';\nimport { z } from 'zod';\nimport { a } from '../lib/a.ts';",
      'src/api/routes/a.ts':
        "import { b } from '../b.ts';\n// import x from 'left-pad';\nconst text = 'process.env and //';",
      'src/api/b.ts': "/* import('left-pad') */ const re = /['\"`]/; const t = `process.env`;",
      'src/cmd/version.ts': "import x from '../../package.json' with { type: 'json' };",
      'src/cmd/main.ts': "import { a } from '../../drivers/volume/a.ts';\nconst x = process.env.HOME;",
      'drivers/volume/a.ts': "import { option } from '#driver';\nimport { readFile } from 'node:fs/promises';",
      'drivers/volume/b/index.ts': "import { x } from './x.ts';",
      'drivers/volume/b/x.ts': '',
      'rootwrap/main.ts': "import { spawn } from 'node:child_process';\nimport { x } from './match.ts';\nprocess.argv;",
      'rootwrap/match.ts': '',
    });
    assert.deepEqual(findViolations(allowed), []);
  });

  it('finds a circle of three among files that lead to it, once', () => {
    const files = scan({
      'src/lib/entry.ts': "import './a.ts';\nimport './b.ts';",
      'src/lib/a.ts': "import './b.ts';",
      'src/lib/b.ts': "import './c.ts';",
      'src/lib/c.ts': "import './a.ts';",
    });
    assert.deepEqual(findCircles(files), [['src/lib/a.ts', 'src/lib/b.ts', 'src/lib/c.ts', 'src/lib/a.ts']]);
  });
});

function scan(files: Readonly<Record<string, string>>): readonly ScannedFile[] {
  return Object.entries(files).map(([path, text]) => scanSource(path, text));
}

async function scanTree(): Promise<readonly ScannedFile[]> {
  return (await readAll(/\.ts$/)).map(([path, text]) => scanSource(path, text));
}

/** Path and text of every file of the house whose path matches. */
async function readAll(pattern: RegExp): Promise<readonly (readonly [string, string])[]> {
  const listed = await Promise.all(
    ['src', 'drivers', 'rootwrap'].map(async (top) =>
      (await readdir(join(root, top), { recursive: true })).map((path) => join(top, path)),
    ),
  );
  const paths = listed.flat().filter((path) => pattern.test(path));
  return Promise.all(paths.toSorted().map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const));
}
