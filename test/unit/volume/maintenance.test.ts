import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VolumeDriver } from '../../../src/driver/driver.ts';
import { startMaintenance } from '../../../src/volume/maintenance.ts';
import { createRecorder } from '../../support/recorder.ts';

/** A driver that says when it is asked, and does what it is told. */
function bed(maintain: (signal: AbortSignal) => Promise<boolean>) {
  const recorder = createRecorder();
  const stopping = new AbortController();
  const freed: number[] = [];
  const state = { isUp: true };
  const task = startMaintenance({
    driver: { maintain } as unknown as VolumeDriver,
    isUp: () => state.isUp,
    onFreed: () => freed.push(1),
    signal: stopping.signal,
    log: recorder.log,
  });
  const stop = async () => {
    stopping.abort();
    await task.stop();
  };
  return { task, stop, freed, state, entries: recorder.entries };
}

test('a trigger asks the driver, and what became free is told', async () => {
  const asked = Promise.withResolvers<void>();
  const { task, stop, freed } = bed(async () => {
    asked.resolve();
    return true;
  });
  task.trigger();
  await asked.promise;
  await stop();
  assert.equal(freed.length, 1);
});

test('a backend that is down is not asked', async () => {
  let asked = 0;
  const { task, stop, state, freed } = bed(async () => {
    asked += 1;
    return true;
  });
  state.isUp = false;
  task.trigger();
  await new Promise(setImmediate);
  await stop();
  assert.deepEqual([asked, freed.length], [0, 0]);
});

test('a stop ends the work that is under way, and that is no failure', async () => {
  const begun = Promise.withResolvers<void>();
  const { task, stop, freed, entries } = bed(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        begun.resolve();
      }),
  );
  task.trigger();
  await begun.promise;
  await stop();
  assert.deepEqual([freed.length, entries.length], [0, 0]);
});

test('an error is logged, and the next trigger asks again', async () => {
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let times = 0;
  const { task, stop, freed, entries } = bed(async () => {
    asked[times++]!.resolve();
    if (times === 1) throw new Error('the disk is gone');
    return true;
  });
  task.trigger();
  await asked[0]!.promise;
  task.trigger();
  await asked[1]!.promise;
  await stop();
  assert.equal(freed.length, 1);
  assert.match(JSON.stringify(entries), /the disk is gone/);
});
