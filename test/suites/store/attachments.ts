import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../../../src/model/errors.ts';
import { addAttachment, addVolume, idsOf, newProject, type StoreOf } from './rows.ts';

export function attachmentCases(storeOf: StoreOf): void {
  test('an attachment comes back as it was inserted, connector and connection included', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { projectId: newProject() });
    const full = {
      id: randomUUID(),
      volumeId: volume.id,
      instanceId: randomUUID(),
      attachedHost: 'host',
      mountpoint: '/dev/vdb',
      attachMode: 'rw' as const,
      attachStatus: 'attached' as const,
      connector: { initiator: 'iqn.2004-10.com.example:one', multipath: false, extra: { deep: [1, 'ü'] } },
      connectionInfo: { auth_password: 'secret "quoted"', target_lun: 1, driver_volume_type: 'iscsi' },
      attachTime: new Date('2026-07-01T10:00:00.500Z'),
      detachTime: null,
      updatedAt: null,
      deletedAt: null,
      deleted: false,
    };
    const inserted = await store.attachments.insert(full);
    const { createdAt, ...rest } = inserted;
    assert.ok(createdAt instanceof Date);
    assert.deepEqual(rest, full);
    assert.deepEqual(await store.attachments.get(full.id, { projectId: volume.projectId }), inserted);
    assert.equal(await store.attachments.get(full.id, { projectId: newProject() }), null);
    const cleared = await store.attachments.updateIf(full.id, {}, { connectionInfo: null, connector: null });
    assert.equal(cleared?.connectionInfo, null);
    assert.equal(cleared?.connector, null);
  });

  test('list by project, volume, status; deleted ones are gone', async () => {
    const store = storeOf();
    const projectId = newProject();
    const volume = await addVolume(store, { projectId });
    const other = await addVolume(store, { projectId });
    const a = await addAttachment(store, volume);
    const b = await addAttachment(store, volume, { attachStatus: 'attached', attachedHost: 'h' });
    const c = await addAttachment(store, other);
    await addAttachment(store, await addVolume(store, { projectId: newProject() }));
    const found = async (filters: object) => idsOf(await store.attachments.list({ projectId, filters })).sort();
    assert.deepEqual(await found({}), idsOf([a, b, c]).sort());
    assert.deepEqual(await found({ volumeId: volume.id }), idsOf([a, b]).sort());
    assert.deepEqual(await found({ volumeId: [other.id] }), [c.id]);
    assert.deepEqual(await found({ attachStatus: ['attached'] }), [b.id]);
    assert.deepEqual(await found({ attachedHost: 'h' }), [b.id]);
    await store.attachments.updateIf(a.id, {}, { attachStatus: 'deleted', deleted: true });
    assert.deepEqual(idsOf(await store.attachments.listByVolume(volume.id)), [b.id]);
    assert.equal(await store.attachments.get(a.id), null);
  });

  test('of several who end an attachment, one wins', async () => {
    const store = storeOf();
    const { id } = await addAttachment(store, await addVolume(store), { attachStatus: 'attached' });
    const results = await Promise.all(
      Array.from({ length: 8 }, () =>
        store.attachments.updateIf(id, { attachStatus: ['attached', 'reserved'] }, { attachStatus: 'detaching' }),
      ),
    );
    assert.equal(results.filter((result) => result !== null).length, 1);
  });

  test('an attachment of no volume, or of one that goes, is refused', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { status: 'deleting' });
    await assert.rejects(addAttachment(store, volume), (error) => isFailure(error, 'InvalidVolume'));
    await assert.rejects(addAttachment(store, { ...volume, id: randomUUID() }), (error) =>
      isFailure(error, 'VolumeNotFound'),
    );
  });
}
