import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Trouble, troubleOf } from '../../../../../drivers/volume/lvm/errors.ts';

const captured: readonly (readonly [string, Trouble])[] = [
  ['full', 'full'],
  ['extend-full', 'full'],
  ['missing', 'no such volume'],
  ['no-group', 'no such group'],
  ['exists', 'exists'],
  ['no-device-mapper', 'no device-mapper'],
  ['dmsetup', 'no device-mapper'],
];

for (const [name, trouble] of captured) {
  test(`what lvm really said (${name}) means: ${trouble}`, () => {
    const text = readFileSync(new URL(`../../../../fixtures/lvm/stderr-${name}.txt`, import.meta.url), 'utf8');
    assert.equal(troubleOf(text), trouble);
  });
}

test('an open volume is in use, other words are not guessed at', () => {
  assert.equal(troubleOf('  Logical volume vg/volume-1 in use.\n'), 'in use');
  assert.equal(troubleOf('  Logical volume vg/volume-1 contains a filesystem in use.\n'), 'in use');
  assert.equal(troubleOf(''), 'unknown');
  assert.equal(troubleOf('  Giving up waiting for lock.'), 'unknown');
});
