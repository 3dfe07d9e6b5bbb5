import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatMicroversion, MAX_MICROVERSION, negotiateMicroversion } from '../../../src/api/microversion.ts';

describe('the version that a request asks for', () => {
  it('is the oldest where it asks for none, or for another service only', () => {
    for (const header of [undefined, '', 'compute 2.90', 'compute 2.90, identity 3.1']) {
      assert.deepEqual(negotiateMicroversion(header), { kind: 'version', version: 0 });
    }
  });

  it('is not guessed where the service is forgotten or misspelt', () => {
    for (const header of ['3.8', 'Volume 3.8', 'compute 2.90, 3.27', 'compute 2 90']) {
      assert.equal(negotiateMicroversion(header).kind, 'malformed', header);
    }
  });

  it('is the newest for latest, and the named one among several services', () => {
    assert.deepEqual(negotiateMicroversion('volume latest'), { kind: 'version', version: MAX_MICROVERSION });
    assert.deepEqual(negotiateMicroversion('compute 2.1,volume 3.27 , x 1'), { kind: 'version', version: 27 });
  });

  it('is every version that is served, and none beyond', () => {
    fc.assert(
      fc.property(fc.nat(200), (minor) => {
        const negotiated = negotiateMicroversion(`volume ${formatMicroversion(minor)}`);
        const expected = minor <= MAX_MICROVERSION ? { kind: 'version', version: minor } : 'unsupported';
        assert.deepEqual(negotiated.kind === 'version' ? negotiated : negotiated.kind, expected);
      }),
    );
  });

  it('tells what is no version from what is not served', () => {
    for (const text of ['3', '3.', '.3', '3.01', '03.1', '3.1.1', 'newest', '', '3.-1', '3.9999999999']) {
      assert.equal(negotiateMicroversion(`volume ${text}`).kind, 'malformed', text);
    }
    for (const text of ['2.0', '4.0', '3.71']) {
      assert.equal(negotiateMicroversion(`volume ${text}`).kind, 'unsupported', text);
    }
  });

  it('is never a crash', () => {
    fc.assert(fc.property(fc.string(), (text) => void negotiateMicroversion(text)));
  });
});
