import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { id, startApi, volume } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;

describe('__complete', { timeout: TIMEOUT_MS }, () => {
  it('offers names; ids where a name is missing, doubtful or would break the line', async () => {
    const names = ['data', 'twin', 'twin', '', 'a\nb', 'deta'];
    const volumes = names.map((name, at) => volume(at, { name }));
    await using api = await startApi(() => ({ body: { volumes } }));
    const { code, out, err } = await run(['__complete', '--', 'volume', 'show', ''], { env: envOf(api) });
    assert.deepEqual([code, err], [0, '']);
    const words = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    assert.deepEqual(words, ['data', id(1), id(2), id(3), id(4), 'deta']);
    const some = await run(['__complete', '--', 'volume', 'show', 'da'], { env: envOf(api) });
    assert.equal(some.out, 'data\tavailable\n');
  });

  it('takes the endpoint from the words', async () => {
    await using api = await startApi(() => ({ body: { volume_types: [{ id: id(1), name: 'fast' }] } }));
    const words = ['--endpoint', api.url, '--project', 'admin', 'volume', 'create', '--type', ''];
    assert.equal((await run(['__complete', '--', ...words])).out, 'fast\t\n');
  });

  it('is silent when there is no API, or one that refuses', async () => {
    await using api = await startApi(() => ({ status: 401, body: {} }));
    for (const env of [{}, { ASHLAR_ENDPOINT: 'http://127.0.0.1:1' }, { ASHLAR_ENDPOINT: 'nonsense' }, envOf(api)]) {
      const ran = await run(['__complete', '--', 'volume', 'show', ''], { env });
      assert.deepEqual(ran, { code: 0, out: '', err: '' });
    }
  });

  it('offers options though they begin with dashes', async () => {
    assert.match((await run(['__complete', '--', 'volume', 'delete', '--c'])).out, /^--cascade\t/);
  });
});

describe('completion', { timeout: TIMEOUT_MS }, () => {
  const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`${shell} reads the script`, { skip: has(shell) ? false : `${shell} is not installed` }, async () => {
      const { code, out } = await run(['completion', shell]);
      assert.equal(code, 0);
      const read = spawnSync(shell, ['-n'], { input: out, encoding: 'utf8', timeout: 10_000 });
      assert.deepEqual([read.status, read.stderr], [0, '']);
    });
  }

  it('bash offers what __complete prints, quoted', {
    skip: has('bash') ? false : 'bash is not installed',
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-completion-'));
    try {
      const program = join(directory, 'ashlar');
      // Plays the program: prints the words it was handed, and a name that needs quoting.
      await writeFile(program, '#!/bin/sh\nprintf "%s|" "$@" >"$0.words"\nprintf "data\\tavailable\\nmy vol\\t\\n"\n');
      await chmod(program, 0o755);
      const script = `${(await run(['completion', 'bash'])).out}
COMP_WORDS=("${program}" volume show d later); COMP_CWORD=3
_ashlar
printf '%s\\n' "\${COMPREPLY[@]}"
cat "${program}.words"`;
      const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 10_000 });
      assert.equal(stdout, 'data\nmy\\ vol\n__complete|--|volume|show|d|');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('knows no other shell', async () => {
    assert.equal((await run(['completion', 'csh'])).code, 2);
  });
});
