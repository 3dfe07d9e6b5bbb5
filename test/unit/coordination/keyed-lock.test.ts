import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyedLock } from '../../../src/coordination/keyed-lock.ts';

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
