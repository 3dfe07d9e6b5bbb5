import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBatch } from '../../../../../drivers/volume/lvm/batch.ts';
import { createLimiter } from '../../../../../src/lib/bounded.ts';

test('what comes while the queue is busy goes together, at most so many at a time, in order', async () => {
  const queue = createLimiter(1);
  const calls: (readonly number[])[] = [];
  const ask = createBatch<number, number>(queue, 3, async (pieces) => {
    calls.push(pieces);
    return pieces.map((piece) => ({ status: 'fulfilled', value: piece * 10 }));
  });
  const release = Promise.withResolvers<void>();
  const busy = queue(() => release.promise);
  const asked = [1, 2, 3, 4, 5].map(ask);
  release.resolve();
  await busy;
  assert.deepEqual(await Promise.all(asked), [10, 20, 30, 40, 50]);
  assert.deepEqual(calls, [
    [1, 2, 3],
    [4, 5],
  ]);
});

test('each gets its own answer or error; work that throws fails all that were in it', async () => {
  const ask = createBatch<number, number>(createLimiter(1), 10, async (pieces) => {
    if (pieces.includes(0)) throw new Error('all');
    return pieces.map((piece) =>
      piece < 0 ? { status: 'rejected', reason: new Error(`not ${piece}`) } : { status: 'fulfilled', value: piece },
    );
  });
  const settled = await Promise.allSettled([ask(1), ask(-2), ask(3)]);
  assert.deepEqual(
    settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message)),
    [1, 'not -2', 3],
  );
  await assert.rejects(Promise.all([ask(5), ask(0)]), /all/);
});

test('nobody is forgotten, whatever the order of asking and working', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), async (waits, limit) => {
      const ask = createBatch<number, number>(createLimiter(1), limit, async (pieces) => {
        assert.ok(pieces.length >= 1 && pieces.length <= limit);
        await Promise.resolve();
        return pieces.map((value) => ({ status: 'fulfilled', value }));
      });
      const answers: Promise<number>[] = [];
      for (const [index, wait] of waits.entries()) {
        for (let passed = 0; passed < wait; passed += 1) await Promise.resolve();
        answers.push(ask(index));
      }
      assert.deepEqual(
        await Promise.all(answers),
        waits.map((_, index) => index),
      );
    }),
  );
});
