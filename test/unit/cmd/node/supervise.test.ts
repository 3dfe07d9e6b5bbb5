import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Owned, supervise } from '../../../../src/cmd/node/supervise.ts';
import { recorderLog } from '../../../support/recorder-log.ts';

interface Fake extends Owned {
  die(): void;
  readonly stopped: boolean;
}

function fake(): Fake {
  const { promise, resolve } = Promise.withResolvers<void>();
  let stopped = false;
  return {
    exited: promise,
    die: resolve,
    get stopped() {
      return stopped;
    },
    async stop() {
      stopped = true;
      resolve();
    },
  };
}

test('one that ends by itself is started again, with what depends on it; one that we stop is not', async () => {
  const made = [fake()];
  const restarted: Fake[] = [];
  const { promise: back, resolve: isBack } = Promise.withResolvers<void>();
  const supervised = supervise({
    name: 'p',
    first: made[0]!,
    log: recorderLog(),
    start: async () => {
      made.push(fake());
      return made.at(-1)!;
    },
    onRestart: async (next) => {
      restarted.push(next);
      isBack();
    },
  });
  made[0]!.die();
  await back;
  assert.equal(restarted[0], made[1]);
  await supervised.stop();
  assert.ok(made[1]!.stopped);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(made.length, 2);
});

test('one that comes up while we stop is stopped as well', async () => {
  const first = fake();
  const late = fake();
  const { promise: starting, resolve: isStarting } = Promise.withResolvers<void>();
  const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
  const supervised = supervise({
    name: 'p',
    first,
    log: recorderLog(),
    start: async () => {
      isStarting();
      await go;
      return late;
    },
  });
  first.die();
  await starting;
  const stopping = supervised.stop();
  letGo();
  await stopping;
  assert.ok(late.stopped);
});
