import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  backport,
  forward,
  OBJECT_HISTORY,
  pinObjectHistory,
  pinRpcVersion,
} from '../../../../src/rpcapi/objects/history.ts';
import { makeObject, VersionedObject } from '../../../../src/rpcapi/objects/objects.ts';

const objects = (...versions: (string | null)[]) =>
  pinObjectHistory(versions.map((objectCurrentVersion, index) => ({ host: `node${index}`, objectCurrentVersion })));
const rpc = (...versions: (string | null)[]) =>
  pinRpcVersion(
    '3.18',
    versions.map((rpcCurrentVersion, index) => ({ host: `node${index}`, rpcCurrentVersion })),
  );

describe('pins', () => {
  it('are ours where there are no services yet', () => {
    assert.deepEqual(objects(), { kind: 'pinned', version: OBJECT_HISTORY });
    assert.deepEqual(rpc(), { kind: 'pinned', version: '3.18' });
  });

  it('are the oldest among the services, by number', () => {
    assert.deepEqual(objects('1.39', '1.38', '1.39'), { kind: 'pinned', version: '1.38' });
    assert.deepEqual(rpc('3.18', '3.9', '3.10'), { kind: 'pinned', version: '3.9' });
  });

  it('are never newer than ours', () => {
    assert.deepEqual(objects('1.40', '2.0'), { kind: 'pinned', version: '1.39' });
    assert.deepEqual(rpc('3.19'), { kind: 'pinned', version: '3.18' });
  });

  it('name the service that is too old, or does not say', () => {
    assert.deepEqual(objects('1.39', '1.9'), { kind: 'too old', host: 'node1', version: '1.9' });
    assert.deepEqual(objects(null), { kind: 'too old', host: 'node0', version: null });
    assert.deepEqual(rpc('2.0'), { kind: 'too old', host: 'node0', version: '2.0' });
    assert.deepEqual(rpc('three'), { kind: 'too old', host: 'node0', version: 'three' });
  });
});

describe('objects between releases', () => {
  it('lose use_quota for 1.38 however deep they stand, in plain dictionaries too', () => {
    const volume = makeObject('Volume', { id: 'v', use_quota: true }, ['use_quota', 'id']);
    const sent = backport({ request_spec: { inner: [makeObject('RequestSpec', { volume })] } }, '1.38');
    const older = new VersionedObject('Volume', '1.8', { id: 'v' }, ['id']);
    assert.deepEqual(sent, { request_spec: { inner: [makeObject('RequestSpec', { volume: older })] } });
  });

  it('leave an object alone that is older already', () => {
    const old = new VersionedObject('Volume', '1.7', { id: 'v' });
    assert.deepEqual(backport(old, '1.38'), old);
  });

  it('get the use_quota that an older peer meant', () => {
    const lift = (fields: VersionedObject<'Volume'>['fields']) =>
      (forward(new VersionedObject('Volume', '1.8', fields)) as VersionedObject<'Volume'>).fields.use_quota;
    assert.equal(lift({ id: 'v' }), true);
    assert.equal(lift({ migration_status: 'target:x' }), false);
    assert.equal(lift({ migration_status: 'migrating', admin_metadata: { temporary: 'True' } }), false);
    assert.equal(lift({ migration_status: null, admin_metadata: {} }), true);
    // Newest already: what is unset was not loaded, and stays so.
    assert.deepEqual(forward(makeObject('Volume', { id: 'v' })), makeObject('Volume', { id: 'v' }));
  });
});
