import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backendName, lvName } from '../../../../../drivers/volume/lvm/names.ts';

test('names are Cinder’s: snapshots have an underscore before them', () => {
  assert.equal(lvName('volume-1'), 'volume-1');
  assert.equal(lvName('snapshot-1'), '_snapshot-1');
});

test('a name comes back as it was', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);
  fc.assert(
    fc.property(
      fc.oneof(
        word,
        word.map((text) => `snapshot-${text}`),
      ),
      (name) => backendName(lvName(name)) === name,
    ),
  );
});

test('what lvm would read as an option, a path or a tag is refused', () => {
  for (const odd of ['-f', '--yes', '@ashlar', 'a/b', '..', '.', '', 'a b', 'a\nb', 'x'.repeat(121)]) {
    assert.throws(() => lvName(odd), /cannot be the name of a logical volume/, JSON.stringify(odd));
  }
});
