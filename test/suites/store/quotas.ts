import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../src/model/errors.ts';
import { addSnapshot, addVolume, newProject, type StoreOf } from './rows.ts';

export function quotaCases(storeOf: StoreOf): void {
  test('limits are kept by resource; setting some leaves the others', async () => {
    const store = storeOf();
    const projectId = newProject();
    assert.deepEqual(await store.quotas.limits(projectId), {});
    await store.quotas.setLimits(projectId, { volumes: 3, gigabytes: -1 });
    await store.quotas.setLimits(projectId, { volumes: 5, volumes_fast: 2 });
    assert.deepEqual(await store.quotas.limits(projectId), { volumes: 5, gigabytes: -1, volumes_fast: 2 });
    for (const _ of ['there', 'gone']) {
      await store.quotas.deleteLimits(projectId);
      assert.deepEqual(await store.quotas.limits(projectId), {});
    }
    await store.quotas.setLimits(projectId, { volumes: 5, gigabytes: -1, volumes_fast: 2 });
    assert.deepEqual(await store.quotas.classLimits('default'), {});
  });

  test('usage is what the rows say, without deleted ones and those outside the quota', async () => {
    const store = storeOf();
    const projectId = newProject();
    const none = { volumes: 0, snapshots: 0, volumeGb: 0, snapshotGb: 0 };
    assert.deepEqual(await store.quotas.usage(projectId), none);
    const volume = await addVolume(store, { projectId, sizeGb: 5 });
    const gone = await addVolume(store, { projectId, sizeGb: 7 });
    await addVolume(store, { projectId, sizeGb: 11, useQuota: false });
    await addVolume(store, { projectId: newProject(), sizeGb: 13 });
    await addSnapshot(store, volume);
    assert.deepEqual(await store.quotas.usage(projectId), { volumes: 2, snapshots: 1, volumeGb: 12, snapshotGb: 5 });
    await store.volumes.updateIf(gone.id, {}, { deleted: true, status: 'deleted' });
    assert.deepEqual(await store.quotas.usage(projectId), { volumes: 1, snapshots: 1, volumeGb: 5, snapshotGb: 5 });
  });

  test('submits of one project go one after the other, so that no limit is passed', async () => {
    const store = storeOf();
    const projectId = newProject();
    const limit = 3;
    const submit = () =>
      store.transaction(async (tx) => {
        await tx.quotas.lockProject(projectId);
        if ((await tx.quotas.usage(projectId)).volumes >= limit) return false;
        await addVolume(tx, { projectId });
        return true;
      });
    const results = await Promise.all(Array.from({ length: 10 }, submit));
    assert.equal(results.filter(Boolean).length, limit);
    assert.equal(await store.volumes.count({ projectId }), limit);
  });

  test('the lock of a project is refused outside of a transaction, where it would be lost', async () => {
    await assert.rejects(storeOf().quotas.lockProject(newProject()), (error) => isFailure(error, 'Internal'));
  });
}
