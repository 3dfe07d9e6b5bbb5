import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openStateDir } from '../../../../src/cmd/node/state-dir.ts';
import { isFailure } from '../../../../src/model/errors.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'ashlar-state-'));
});
after(() => rm(root, { recursive: true, force: true }));

test('it is private, is used by one at a time, and keeps its token', async () => {
  const path = join(root, 'one');
  const first = await openStateDir(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await assert.rejects(
    openStateDir(path),
    (error) => isFailure(error, 'ServiceUnavailable') && /--state-dir/.test(error.message),
  );
  const token = await first.adminToken();
  assert.equal((await stat(join(path, 'admin-token'))).mode & 0o777, 0o600);
  await first.release();
  const second = await openStateDir(path);
  assert.equal(await second.adminToken(), token);
  await second.release();
});

test('it announces where the API is while the node runs, and remembers the port for the next one', async () => {
  const path = join(root, 'two');
  const state = await openStateDir(path);
  assert.equal(await state.lastApiPort(), null);
  await state.announce({ url: 'http://127.0.0.1:8779/v3', project: 'admin' });
  assert.deepEqual(JSON.parse(await readFile(join(path, 'endpoint.json'), 'utf8')), {
    url: 'http://127.0.0.1:8779/v3',
    project: 'admin',
  });
  await state.release();
  await assert.rejects(readFile(join(path, 'endpoint.json')), /ENOENT/);
  const next = await openStateDir(path);
  assert.equal(await next.lastApiPort(), 8779);
  await next.remember({ host: 'h', backend: 'file' });
  assert.deepEqual(await next.facts(), { host: 'h', backend: 'file' });
  await next.release();
});

test('a file that cannot be read is named', async () => {
  const path = join(root, 'three');
  const state = await openStateDir(path);
  await writeFile(join(path, 'node.json'), '{ half');
  await assert.rejects(state.facts(), /node\.json/);
  await state.release();
});
