import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restMs, slicesOf } from '../../../../../drivers/volume/lvm/pace.ts';

const MIB = 1024 ** 2;

test('the pieces of a range are the range, in order, none longer than a GiB or a second of the limit', () => {
  const ranges = fc.record({ from: fc.nat(4096), length: fc.nat(4096), limit: fc.nat(3000) });
  fc.assert(
    fc.property(ranges, ({ from, length, limit }) => {
      const range = { device: '/dev/x', from: from * MIB, to: (from + length) * MIB + 512 };
      const longest = limit === 0 ? 1024 * MIB : Math.min(Math.max(1, limit), 1024) * MIB;
      let next = range.from;
      for (const slice of slicesOf(range, limit * MIB)) {
        assert.equal(slice.from, next);
        assert.ok(slice.to > slice.from && slice.to - slice.from <= longest);
        next = slice.to;
      }
      assert.equal(next, range.to);
    }),
  );
});

test('a limit below a MiB a second still moves on, and rests the longer', () => {
  const [first] = slicesOf({ device: '/dev/x', from: 0, to: 10 * MIB }, 1000);
  assert.equal(first!.to, MIB);
  assert.equal(restMs(MIB, 0, MIB / 4), 4000);
  assert.equal(restMs(MIB, 1500, MIB), 0);
  assert.equal(restMs(MIB, 0, 0), 0);
});
