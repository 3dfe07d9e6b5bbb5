import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPeriodicTask } from '../../../src/service/periodic-task.ts';
import { recorderLog } from '../../support/recorder-log.ts';

test('triggers that come while it runs become one further run; a failing run does not end the task', async () => {
  const gates: (() => void)[] = [];
  let runs = 0;
  const task = startPeriodicTask({
    name: 't',
    intervalMs: 3_600_000,
    log: recorderLog(),
    async work() {
      runs += 1;
      await new Promise<void>((resolve) => gates.push(resolve));
      throw new Error('broken run');
    },
  });
  task.trigger();
  await until(() => gates.length === 1);
  task.trigger();
  task.trigger();
  gates.shift()!();
  await until(() => gates.length === 1);
  assert.equal(runs, 2);
  const stopped = task.stop();
  gates.shift()!();
  await stopped;
  task.trigger();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs, 2);
});

test('it comes round by itself', async () => {
  let runs = 0;
  const task = startPeriodicTask({
    name: 't',
    intervalMs: 1,
    log: recorderLog(),
    work: async () => {
      runs += 1;
    },
  });
  await until(() => runs >= 3);
  await task.stop();
});

test('what fails again and again for the same reason is logged once, and so is that it works again', async () => {
  const log = recorderLog();
  let runs = 0;
  const task = startPeriodicTask({
    name: 't',
    intervalMs: 1,
    log,
    work: async () => {
      runs += 1;
      if (runs <= 5) throw new Error('away');
    },
  });
  await until(() => runs >= 8);
  await task.stop();
  assert.deepEqual(
    log.records.map(({ level, fields }) => [level, fields.failures]),
    [
      ['warn', undefined],
      ['info', 5],
    ],
  );
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(condition());
}
