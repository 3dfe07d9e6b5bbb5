import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyedLock } from '../../../src/coordination/keyed-lock.ts';
import { currentFlight, describeFlight, flights, fly } from '../../../src/lib/flight.ts';
import { eventually } from '../../support/node-process.ts';
import { recorderLog } from '../../support/recorder-log.ts';

test('work under a key never overlaps, is served in order, and every key is free at the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }), { maxLength: 30 }),
      async (requests) => {
        const locks = createKeyedLock();
        const busy = new Set<string>();
        const order: Record<string, number[]> = {};
        await Promise.all(
          requests.map((keys, index) =>
            locks.withKeys(keys, async () => {
              for (const key of keys) {
                assert.ok(!busy.has(key), `${key} is held twice`);
                busy.add(key);
                order[key] = [...(order[key] ?? []), index];
              }
              await new Promise((resolve) => setImmediate(resolve));
              for (const key of keys) busy.delete(key);
            }),
          ),
        );
        assert.equal(locks.held().size, 0);
        assert.equal(Object.values(order).flat().length, requests.flat().length, 'somebody was never served');
      },
    ),
    { numRuns: 50 },
  );
});

test('requests for one key are served first come, first served', async () => {
  const locks = createKeyedLock();
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3].map((n) =>
      locks.withKeys(['k'], async () => {
        order.push(n);
      }),
    ),
  );
  assert.deepEqual(order, [1, 2, 3]);
});

test('a failure frees the keys', async () => {
  const locks = createKeyedLock();
  await assert.rejects(
    locks.withKeys(['a', 'b'], async () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.equal(await locks.withKeys(['b', 'a'], async () => 'free'), 'free');
});

test('who waits and who holds is told, in the flight of the waiter and of the lock, and a long wait is logged', async () => {
  const log = recorderLog();
  const locks = createKeyedLock({ log, sayAfterMs: 1 });
  const gate = Promise.withResolvers<void>();
  const hold = fly({ id: 'first', service: 's' }, () => {
    describeFlight({ method: 'create_snapshot', resourceId: 'v', requestId: 'req-1' });
    return locks.withKeys(['volume:v'], () => gate.promise);
  });
  const wait = fly({ id: 'second', service: 's' }, () => locks.withKeys(['volume:v'], async () => currentFlight()!));
  await eventually('the log line', async () => log.records.find(({ message }) => message === 'waiting for a lock'));
  const [first, second] = flights();
  assert.deepEqual([first?.locks, first?.waitsFor], [['volume:v'], null]);
  assert.equal(second?.waitsFor?.lock, 'volume:v');
  assert.equal(second?.waitsFor?.holder()?.flight, first);
  const [described] = locks.describe();
  assert.deepEqual(
    [described?.holder?.flight?.id, described?.waiters.map(({ flight }) => flight?.id)],
    ['first', ['second']],
  );
  assert.equal(log.records[0]?.fields.holder_method, 'create_snapshot');
  gate.resolve();
  await hold;
  assert.deepEqual((await wait).locks, [], 'a lock that was given back is not held');
  assert.equal(second?.waitsFor, null);
  assert.deepEqual(locks.describe(), []);
});
