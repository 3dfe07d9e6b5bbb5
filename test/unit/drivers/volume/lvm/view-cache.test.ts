import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createViewCache } from '../../../../../drivers/volume/lvm/view-cache.ts';

/** A world whose state is a number; a reading sees what it is when it ends, or what it was when it began. */
function world() {
  let nowMs = 0;
  let state = 0;
  let reads = 0;
  const cache = createViewCache(
    async () => {
      reads += 1;
      const seen = state;
      await Promise.resolve();
      return seen;
    },
    () => nowMs,
  );
  return {
    cache,
    reads: () => reads,
    state: () => state,
    pass: (ms: number) => {
      nowMs += ms;
    },
    change() {
      state += 1;
      cache.changed();
    },
  };
}

test('a young reading is shared, an old one is not, a change ends it at once', async () => {
  const { cache, reads, pass, change } = world();
  assert.equal(await cache.get(1000), 0);
  pass(1000);
  assert.equal(await cache.get(1000), 0);
  assert.equal(reads(), 1);
  pass(1);
  await cache.get(1000);
  assert.equal(reads(), 2);
  change();
  assert.equal(await cache.get(1000), 1);
  assert.equal(reads(), 3);
});

test('whoever comes while a reading runs shares the next one', async () => {
  const { cache, reads } = world();
  await Promise.all([cache.get(0), cache.get(0), cache.get(0), cache.get(0)]);
  assert.equal(reads(), 2);
});

test('a reading that failed is not kept, and the next one is not harmed', async () => {
  let fails = true;
  const cache = createViewCache(async () => {
    if (fails) throw new Error('no');
    return 'yes';
  });
  const results = await Promise.allSettled([cache.get(1000), cache.get(0)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  fails = false;
  assert.equal(await cache.get(1000), 'yes');
});

test('no caller ever sees what was before a change that had ended when it asked', async () => {
  const step = fc.oneof(
    fc.constant({ kind: 'change' } as const),
    fc.record({ kind: fc.constant('get' as const), maxAgeMs: fc.constantFrom(0, 10, 1000) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(20) }),
    fc.constant({ kind: 'tick' } as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const it = world();
      const asked: Promise<void>[] = [];
      for (const each of steps) {
        if (each.kind === 'change') it.change();
        else if (each.kind === 'pass') it.pass(each.ms);
        else if (each.kind === 'tick') await Promise.resolve();
        else {
          const least = it.state();
          asked.push(
            it.cache.get(each.maxAgeMs).then((seen) => {
              assert.ok(seen >= least, `${seen} was seen, ${least} was asked for`);
            }),
          );
        }
      }
      await Promise.all(asked);
    }),
  );
});

test('an older reading is handed out with the number of changes since, until it is too old', async () => {
  const { cache, reads, pass, change } = world();
  await cache.get(0);
  change();
  change();
  assert.deepEqual(await cache.atMostOld(10), { value: 0, changes: 2 });
  assert.equal(reads(), 1);
  pass(11);
  assert.deepEqual(await cache.atMostOld(10), { value: 2, changes: 0 });
  assert.equal(reads(), 2);
});
