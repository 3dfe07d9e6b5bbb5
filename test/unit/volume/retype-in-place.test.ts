import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Volume } from '../../../src/model/volume.ts';
import { isMultiattach, whyNotInPlace } from '../../../src/volume/retype-in-place.ts';

const volume = { id: 'v', host: 'node@lvm#pool' } as Volume;
const wish = { volume, host: 'node@lvm#pool', before: {}, after: {}, isEncrypted: false, isInUse: false };

describe('a type for a volume where it is', () => {
  it('may differ in where it asks for, which a scheduler compares', () => {
    const after = { volume_backend_name: 'lvm', 'capabilities:vendor_name': 'x', multiattach: '<is> True' };
    assert.equal(whyNotInPlace({ ...wish, after }), null);
  });

  it('may not differ in how volumes are made, nor be elsewhere, nor encrypted', () => {
    assert.match(whyNotInPlace({ ...wish, after: { 'provisioning:type': 'thick' } }) ?? '', /provisioning:type/);
    assert.match(whyNotInPlace({ ...wish, before: { 'a:b': '1' }, after: { 'a:b': '2' } }) ?? '', /a:b/);
    assert.equal(whyNotInPlace({ ...wish, before: { 'a:b': '1' }, after: { 'a:b': '1' } }), null);
    assert.match(whyNotInPlace({ ...wish, host: 'other@lvm#pool' }) ?? '', /move to other@lvm#pool/);
    assert.match(whyNotInPlace({ ...wish, isEncrypted: true }) ?? '', /encrypt/i);
  });

  it('may not change whether several may attach it while somebody does', () => {
    const after = { multiattach: '<is> True' };
    assert.match(whyNotInPlace({ ...wish, after, isInUse: true }) ?? '', /Detach/);
    assert.equal(whyNotInPlace({ ...wish, before: after, after, isInUse: true }), null);
    assert.deepEqual(
      ['<is> True', 'true', '<is>true', 'False', '<is> False'].map((multiattach) => isMultiattach({ multiattach })),
      [true, true, true, false, false],
    );
  });
});
