import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBackendAddress, poolName, serviceHost } from '../../../src/model/backend.ts';

describe('backend addresses', () => {
  it('are split at the first @ and the first #', () => {
    assert.deepEqual(parseBackendAddress('node@lvm#pool'), { host: 'node', backend: 'lvm', pool: 'pool' });
    assert.deepEqual(parseBackendAddress('node@lvm'), { host: 'node', backend: 'lvm', pool: null });
    assert.deepEqual(parseBackendAddress('node'), { host: 'node', backend: null, pool: null });
    assert.deepEqual(parseBackendAddress('node#pool'), { host: 'node', backend: null, pool: 'pool' });
    assert.deepEqual(parseBackendAddress('n@b#p@x#y'), { host: 'n', backend: 'b', pool: 'p@x#y' });
    assert.deepEqual(parseBackendAddress('node@lvm#'), { host: 'node', backend: 'lvm', pool: '' });
  });

  it('lose nothing: the parts make the address again', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '@', '#', '.') }), (text) => {
        const { host, backend, pool } = parseBackendAddress(text);
        const service = backend === null ? host : `${host}@${backend}`;
        assert.equal(pool === null ? service : `${service}#${pool}`, text);
        assert.equal(serviceHost(text), service);
        assert.equal(poolName(text), pool);
        assert.ok(!service.includes('#') && !host.includes('@'));
      }),
    );
  });
});
