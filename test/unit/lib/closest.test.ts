import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { closest, editDistance } from '../../../src/lib/closest.ts';

describe('closest', () => {
  it('finds the nearest candidate within a third of the letters', () => {
    assert.equal(closest('volume_grop', ['volume_group', 'volume_driver']), 'volume_group');
    assert.equal(closest('DEFUALT', ['DEFAULT']), 'DEFAULT');
    assert.equal(closest('ab', ['ac', 'xy']), 'ac');
    assert.equal(closest('abc', ['xyz', 'a']), undefined);
    assert.equal(closest('', []), undefined);
  });

  it('is never the word itself', () => {
    assert.equal(closest('same', ['same', 'sama']), 'sama');
  });
});

describe('editDistance', () => {
  it('is a distance, and right in known cases', () => {
    assert.equal(editDistance('kitten', 'sitting'), 3);
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        const ab = editDistance(a, b);
        assert.equal(ab === 0, a === b);
        assert.equal(ab, editDistance(b, a));
        assert.ok(ab <= editDistance(a, c) + editDistance(c, b));
        assert.ok(ab >= Math.abs(a.length - b.length) && ab <= Math.max(a.length, b.length));
      }),
    );
  });
});
