import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Capacity, capacityFromWire, capacityToWire } from '../../../src/model/capacity.ts';

describe('capacities on the wire', () => {
  it('come back as they were sent', () => {
    const known = fc.double({ noNaN: true, noDefaultInfinity: true }).map((gb): Capacity => ({ kind: 'known', gb }));
    const word = fc.constantFrom<Capacity>({ kind: 'infinite' }, { kind: 'unknown' });
    fc.assert(
      fc.property(fc.oneof(known, word), (capacity) => {
        assert.deepEqual(capacityFromWire(capacityToWire(capacity)), capacity);
      }),
    );
  });

  it('may be numbers written as text', () => {
    assert.deepEqual(capacityFromWire('12.5'), { kind: 'known', gb: 12.5 });
    assert.deepEqual(capacityFromWire(0), { kind: 'known', gb: 0 });
  });

  it('are unknown where they are anything else', () => {
    const others = [
      undefined,
      null,
      '',
      '  ',
      'lots',
      'Infinity',
      true,
      [],
      [5],
      {},
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ];
    for (const value of others) assert.deepEqual(capacityFromWire(value), { kind: 'unknown' }, String(value));
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const capacity = capacityFromWire(value);
        assert.ok(capacity.kind !== 'known' || Number.isFinite(capacity.gb));
      }),
    );
  });
});
