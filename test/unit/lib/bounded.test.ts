import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLimiter, forEachBounded } from '../../../src/lib/bounded.ts';

test('forEachBounded works on all, never on more than the limit, and gives the first error at the end', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (n: number) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done.push(n);
    if (n === 3) throw new Error('three');
  };
  await assert.rejects(
    forEachBounded(
      Array.from({ length: 20 }, (_, i) => i),
      4,
      work,
    ),
    /three/,
  );
  assert.equal(done.length, 20);
  assert.equal(most, 4);
});

test('a limiter keeps its limit also for those who come while a place is handed on', async () => {
  const gate = createLimiter(2);
  let running = 0;
  let most = 0;
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  };
  const late: Promise<void>[] = [];
  const first = Array.from({ length: 6 }, () =>
    gate(work).finally(() => {
      late.push(gate(work));
    }),
  );
  await Promise.all(first);
  await Promise.all(late);
  assert.equal(most, 2);
  await assert.rejects(
    gate(async () => Promise.reject(new Error('x'))),
    /x/,
  );
  await gate(work);
});
