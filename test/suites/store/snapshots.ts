import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../../../src/model/errors.ts';
import { addSnapshot, addVolume, idsOf, newProject, type StoreOf } from './rows.ts';

export function snapshotCases(storeOf: StoreOf): void {
  test('a snapshot comes back as it was inserted', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { projectId: newProject(), sizeGb: 3 });
    const full = {
      id: randomUUID(),
      volumeId: volume.id,
      userId: 'u',
      projectId: volume.projectId,
      status: 'creating' as const,
      progress: '50%',
      volumeSizeGb: 3,
      displayName: 'n',
      displayDescription: 'd',
      providerLocation: 'l',
      providerId: 'i',
      providerAuth: 'a',
      volumeTypeId: volume.volumeTypeId,
      encryptionKeyId: null,
      groupSnapshotId: null,
      useQuota: true,
      updatedAt: null,
      deletedAt: null,
      deleted: false,
      metadata: { a: '1' },
    };
    const { createdAt, ...rest } = await store.snapshots.insert(full);
    assert.ok(createdAt instanceof Date);
    assert.deepEqual(rest, full);
  });

  test('a snapshot of no volume, or of one that goes, is refused', async () => {
    const store = storeOf();
    const volume = await addVolume(store, { status: 'deleting' });
    await assert.rejects(addSnapshot(store, volume), (error) => isFailure(error, 'InvalidVolume'));
    await assert.rejects(addSnapshot(store, { ...volume, id: randomUUID() }), (error) =>
      isFailure(error, 'VolumeNotFound'),
    );
  });

  test('list, filters, metadata, count, backend', async () => {
    const store = storeOf();
    const projectId = newProject();
    const host = `${newProject()}@file`;
    const volume = await addVolume(store, { projectId, host: `${host}#pool`, availabilityZone: 'az1' });
    const a = await addSnapshot(store, volume, { displayName: 'one', metadata: { k: 'v' } });
    const b = await addSnapshot(store, volume, { displayName: 'two', status: 'error' });
    const elsewhere = await addVolume(store, { projectId, host: `${host}2#pool` });
    const c = await addSnapshot(store, elsewhere);
    const found = async (filters: object) => idsOf(await store.snapshots.list({ projectId, filters })).sort();
    assert.deepEqual(await found({}), idsOf([a, b, c]).sort());
    assert.deepEqual(await found({ volumeId: volume.id }), idsOf([a, b]).sort());
    assert.deepEqual(await found({ name: 'one' }), [a.id]);
    assert.deepEqual(await found({ nameLike: 'w' }), [b.id]);
    assert.deepEqual(await found({ status: 'error' }), [b.id]);
    assert.deepEqual(await found({ availabilityZone: 'az1' }), idsOf([a, b]).sort());
    assert.deepEqual(await found({ metadata: { k: 'v' } }), [a.id]);
    assert.equal(await store.snapshots.count({ projectId }), 3);
    assert.deepEqual(idsOf(await store.snapshots.listByBackend(host, null, 10)), idsOf([a, b]).sort());
    await store.snapshots.setMetadata(a.id, { x: 'y' }, 'replace');
    assert.deepEqual((await store.snapshots.get(a.id))?.metadata, { x: 'y' });
    await store.snapshots.updateIf(a.id, { status: 'available' }, { status: 'deleted', deleted: true });
    assert.equal(await store.snapshots.get(a.id), null);
    assert.equal((await store.snapshots.get(a.id, { deleted: true }))?.deleted, true);
    assert.equal(await store.snapshots.get(b.id, { projectId: newProject() }), null);
  });

  test('a snapshot from which a volume is being made is in use until that is done', async () => {
    const store = storeOf();
    const snapshot = await addSnapshot(store, await addVolume(store));
    const clone = await addVolume(store, { snapshotId: snapshot.id, status: 'creating' });
    const remove = () => store.snapshots.updateIf(snapshot.id, { notInUse: true }, { status: 'deleting' });
    assert.equal(await remove(), null);
    await store.volumes.updateIf(clone.id, {}, { status: 'available' });
    assert.equal((await remove())?.status, 'deleting');
    await assert.rejects(addVolume(store, { snapshotId: snapshot.id, status: 'creating' }), (error) =>
      isFailure(error, 'InvalidSnapshot'),
    );
  });

  test('a volume from a snapshot and the deletion of that snapshot exclude each other', async () => {
    const store = storeOf();
    const volume = await addVolume(store);
    for (let round = 0; round < 12; round += 1) {
      const snapshot = await addSnapshot(store, volume);
      const [removed, clone] = await Promise.allSettled([
        store.snapshots.updateIf(snapshot.id, { notInUse: true }, { status: 'deleting' }),
        addVolume(store, { snapshotId: snapshot.id, status: 'creating' }),
      ]);
      assert.ok(removed.status === 'fulfilled');
      assert.equal(clone.status, removed.value === null ? 'fulfilled' : 'rejected');
    }
  });
}
