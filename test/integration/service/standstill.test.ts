/** A backend's process that stands still for longer than service_down_time, and one that has taken over its name. */
import assert from 'node:assert/strict';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesIn } from '../../support/node-audit.ts';
import { eventually } from '../../support/node-process.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';
import { CHILD, type RoleLane, SERVICE_HOST, startRoleLane } from '../../support/role-lane.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const skip = missingTgtd() ?? missingRabbitmq() ?? false;
const SOURCE_MB = 150;
const MARK = Buffer.from('written by whoever uses the volume');

test('stopped in the middle of a copy, it leaves alone what another has made since', { skip }, async () => {
  const lane = await startRoleLane({ common: { service_down_time: 3, debug: 'true' } });
  try {
    const first = lane.volume();
    const source = await lane.makeSource(SOURCE_MB);
    const stopped = await lane.childUp();
    const { body } = await lane.client.request('POST', '/volumes', { volume: { source_volid: source } });
    const copy = body.volume.id as string;
    await eventually('the copy', async () => ((await lane.commands()).length > 0 ? true : undefined));
    process.kill(stopped, 'SIGSTOP');
    try {
      const second = await lane.startVolume();
      const successor = await lane.childUp();
      assert.notEqual(successor, stopped);
      await untilStatus(lane, copy, 'available');
      await mark(lane.fileOf(copy));
      process.kill(stopped, 'SIGCONT');
      await logged(lane, 'the first to notice', stopped, /another process has taken/);
      await logged(lane, 'the first to let its attempt go', stopped, /operation cut off|taken over by another worker/);

      const began = (await said(lane, stopped)).filter((line) => /"cp"/.test(line));
      assert.equal(began.length, 1, `commands of the first: ${began.join('\n')}`);
      assert.equal((await readFile(lane.fileOf(copy))).indexOf(MARK), 0);
      assert.deepEqual(await filesIn(join(lane.bed.directory, 'state/file-volumes')), names(source, copy));
      assert.deepEqual((await lane.bed.store.operations.listUnfinished(SERVICE_HOST, 10)).length, 0);

      second.kill('SIGTERM');
      assert.deepEqual(await second.exited, { code: 0, signal: null });
      assert.equal((await first.children()).get(CHILD), stopped);
      await logged(lane, 'the first to work again', stopped, /backend is up[\s\S]*taken[\s\S]*backend is up/);
      const { status } = await lane.client.request('DELETE', `/volumes/${copy}`);
      assert.equal(status, 202);
      await eventually('the delete', async () =>
        (await lane.bed.store.volumes.get(copy)) === null ? true : undefined,
      );
      assert.deepEqual(await filesIn(join(lane.bed.directory, 'state/file-volumes')), names(source));
    } finally {
      process.kill(stopped, 'SIGCONT');
    }
  } finally {
    await lane.close();
  }
});

const names = (...ids: readonly string[]) => ids.map((id) => `volume-${id}`).sort();

async function said(lane: RoleLane, pid: number): Promise<readonly string[]> {
  return (await lane.bed.logLines()).filter((line) => line.pid === pid).map((line) => JSON.stringify(line));
}

function logged(lane: RoleLane, what: string, pid: number, pattern: RegExp): Promise<true> {
  return eventually(what, async () => (pattern.test((await said(lane, pid)).join('\n')) ? true : undefined));
}

function untilStatus(lane: RoleLane, id: string, status: string): Promise<true> {
  return eventually(`${id} to be ${status}`, async () =>
    (await lane.bed.store.volumes.get(id))?.status === status ? true : undefined,
  );
}

async function mark(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(MARK, 0, MARK.length, 0);
  await file.close();
}
