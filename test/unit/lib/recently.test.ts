import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecently } from '../../../src/lib/recently.ts';

function counting(lifeMs: number) {
  const reads: string[] = [];
  const ask = createRecently(
    async (key) => {
      reads.push(key);
      if (key === 'bad' && reads.length === 1) throw new Error('away');
      return `${key} ${reads.length}`;
    },
    { lifeMs },
  );
  return { ask, reads };
}

test('what was read is told again, by key, and several who ask at once share one reading', async () => {
  const { ask, reads } = counting(60_000);
  assert.deepEqual(await Promise.all([ask('a'), ask('a'), ask('b')]), ['a 1', 'a 1', 'b 2']);
  assert.equal(await ask('a'), 'a 1');
  assert.deepEqual(reads, ['a', 'b']);
});

test('what is old is read anew', async () => {
  const { ask } = counting(0);
  assert.deepEqual([await ask('a'), await ask('a')], ['a 1', 'a 2']);
});

test('a failure is told to those who waited for it, and not kept', async () => {
  const { ask } = counting(60_000);
  const both = await Promise.allSettled([ask('bad'), ask('bad')]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await ask('bad'), 'bad 2');
});
