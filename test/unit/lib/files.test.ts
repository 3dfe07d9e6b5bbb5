import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { armFailpoints, parseFailpoints } from '../../../src/lib/failpoint.ts';
import { removeFile, writeFileAtomically } from '../../../src/lib/files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-test-'));
});
afterEach(async () => {
  armFailpoints(undefined);
  await rm(folder, { recursive: true, force: true });
});

const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe('writeFileAtomically', () => {
  it('makes the file, for its owner alone unless told otherwise, and leaves nothing beside it', async () => {
    const path = join(folder, 'a');
    await writeFileAtomically(path, 'one');
    assert.deepEqual([await readFile(path, 'utf8'), await mode(path)], ['one', 0o600]);
    await writeFileAtomically(path, 'two', 0o640);
    assert.deepEqual([await readFile(path, 'utf8'), await mode(path)], ['two', 0o640]);
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('leaves the old content or the new at every point of a failure, and succeeds when called again', async () => {
    const path = join(folder, 'a');
    for (const point of ['file.write.before', 'file.rename.before', 'file.write.after']) {
      await writeFileAtomically(path, 'old');
      armFailpoints({ actions: parseFailpoints(`${point}=throw`) });
      await assert.rejects(writeFileAtomically(path, 'new'), new RegExp(point));
      armFailpoints(undefined);
      assert.equal(await readFile(path, 'utf8'), point === 'file.write.after' ? 'new' : 'old', point);
      await writeFileAtomically(path, 'new');
      assert.equal(await readFile(path, 'utf8'), 'new');
      assert.deepEqual(await readdir(folder), ['a']);
    }
  });

  it('overwrites what a crash left, with its own mode', async () => {
    const left = join(folder, '.a.new');
    await writeFile(left, 'half a file that is longer than the new one');
    await chmod(left, 0o666);
    await writeFileAtomically(join(folder, 'a'), 'x');
    assert.deepEqual([await readFile(join(folder, 'a'), 'utf8'), await mode(join(folder, 'a'))], ['x', 0o600]);
  });

  it('fails where the directory is missing', async () => {
    await assert.rejects(writeFileAtomically(join(folder, 'none', 'a'), 'x'), { code: 'ENOENT' });
  });
});

describe('removeFile', () => {
  it('removes a file, and succeeds when it is gone', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'x');
    await removeFile(path);
    await removeFile(path);
    assert.deepEqual(await readdir(folder), []);
  });

  it('lets every other failure through', async () => {
    await assert.rejects(removeFile(folder), (error: NodeJS.ErrnoException) => error.code !== 'ENOENT');
  });
});
