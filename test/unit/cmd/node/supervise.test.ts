import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Owned, supervise } from '../../../../src/cmd/node/supervise.ts';
import { eventually } from '../../../support/node-process.ts';
import { recorderLog } from '../../../support/recorder-log.ts';

function createProcesses() {
  const all: (Owned & { end(): void; stopped: boolean })[] = [];
  const start = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const one = {
      exited: promise,
      end: resolve,
      stopped: false,
      async stop() {
        one.stopped = true;
        resolve();
      },
    };
    all.push(one);
    return one;
  };
  return { all, start };
}

test('one that ends is started again, and what depends on it is put back, again and again until that succeeds', async () => {
  const { all, start } = createProcesses();
  const log = recorderLog();
  let tries = 0;
  const onRestart = async () => {
    tries += 1;
    if (tries < 2) throw new Error('the database is away');
  };
  const supervised = supervise({ name: 'it', first: await start(), start, onRestart, log });
  all[0]!.end();
  await eventually('what depends on it', async () => (tries === 2 ? true : undefined));
  assert.equal(all.length, 2, 'the one that runs is not to blame');
  assert.equal(all[1]!.stopped, false);
  await supervised.stop();
  assert.ok(all[1]!.stopped);
  assert.equal(all.length, 2);
});

test('what ends while its dependants are put back is started again at once', async () => {
  const { all, start } = createProcesses();
  const onRestart = async () => {
    if (all.length === 2) {
      all[1]!.end();
      throw new Error('it is gone');
    }
  };
  const supervised = supervise({ name: 'it', first: await start(), start, onRestart, log: recorderLog() });
  all[0]!.end();
  await eventually('the third', async () => (all.length === 3 ? true : undefined));
  await supervised.stop();
  assert.ok(all[2]!.stopped);
});

test('a stop during a pause starts nothing more', async () => {
  const { all, start } = createProcesses();
  const log = recorderLog();
  const failing = async () => {
    throw new Error('no such program');
  };
  const supervised = supervise({ name: 'it', first: await start(), start: failing, log });
  all[0]!.end();
  await eventually('the first failure', async () => /no such program/.exec(log.text()) ?? undefined);
  await supervised.stop();
  assert.equal(all.length, 1);
});
