import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkName, isOurs, unfinishedName } from '../../../../../drivers/volume/file/names.ts';

const ID = '0b2cb2c6-7a4c-4f2e-8f6e-9f2a5f0a7d11';

test('names that end in an id are ours, by any template', () => {
  for (const name of [`volume-${ID}`, `snapshot-${ID}`, ID, `site_1.${ID}`]) assert.equal(checkName(name), name);
});

test('a name that is accepted is one file in the folder, whatever is tried', () => {
  const odd = fc.oneof(fc.string(), fc.constantFrom('../', '/', '..', '.', '\0', '\n', 'a/'));
  fc.assert(
    fc.property(odd, odd, (before, after) => {
      for (const name of [before + ID, before + ID + after, before + after]) {
        if (!isOurs(name)) continue;
        assert.equal(posix.dirname(posix.join('/folder', name)), '/folder');
        assert.equal(posix.basename(posix.join('/folder', name)), name);
        assert.ok(!name.startsWith('.') && !name.startsWith('-'));
      }
    }),
  );
  assert.throws(() => checkName('../../etc/passwd'), /cannot be a file's name here.*volume_name_template/);
});

test('an unfinished file is never taken for a whole one', () => {
  assert.equal(isOurs(unfinishedName(`volume-${ID}`)), false);
});
