import { failure } from '../../model/errors.ts';
import { snapshotTransitions, volumeTransitions } from '../../model/status.ts';
import { notExported } from '../export.ts';
import { defineOperation, loadVolume } from '../operation.ts';

const { during, done, failed, recover } = volumeTransitions.remove;

/** Ends the export if there is one, the snapshots where asked (cascade), then the volume. */
export const deleteVolume = defineOperation({
  method: 'delete_volume',
  recover,
  changesCapacity: true,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  load: (store, { operation }) => loadVolume(store, operation.resourceId, during),
  async run({ store, backend }, volume, { args }) {
    const driverVolume = await backend.toDriverVolume(volume);
    const snapshots = await store.snapshots.list(snapshotsOf(volume.id));
    if (!args.cascade && snapshots.length > 0) {
      const reason = `it has ${snapshots.length} snapshots; delete them first, or ask for cascade`;
      throw failure('VolumeIsBusy', { id: volume.id, reason });
    }
    if (volume.providerLocation !== null || volume.providerAuth !== null) {
      await backend.target.removeExport(driverVolume);
    }
    for (const snapshot of snapshots) {
      await backend.driver.deleteSnapshot(await backend.toDriverSnapshot(snapshot, volume));
    }
    await backend.driver.deleteVolume(driverVolume);
    return { snapshots };
  },
  async succeed(tx, volume, { snapshots }) {
    const deletedAt = new Date();
    const { projectId, volumeTypeId } = volume;
    for (const { id, useQuota, volumeSizeGb: gb } of snapshots) {
      const gone = { status: snapshotTransitions.remove.done, deleted: true, deletedAt };
      const wasThere = (await tx.snapshots.updateIf(id, {}, gone)) !== null;
      if (wasThere && useQuota) await tx.peers.freeUsage(projectId, { volumes: 0, snapshots: 1, gb, volumeTypeId });
    }
    const changes = { ...notExported, status: done, deleted: true, deletedAt };
    const condition = { status: during, noSnapshots: true } as const;
    if ((await tx.volumes.updateIf(volume.id, condition, changes)) === null) return false;
    const { sizeGb: gb, useQuota } = volume;
    if (useQuota) await tx.peers.freeUsage(projectId, { volumes: 1, snapshots: 0, gb, volumeTypeId });
    return true;
  },
  async fail(tx, volume, { args }) {
    await tx.volumes.updateIf(volume.id, { status: during }, { status: failed });
    if (!args.cascade) return;
    const { during: waiting, failed: left } = snapshotTransitions.remove;
    for (const { id } of await tx.snapshots.list(snapshotsOf(volume.id))) {
      await tx.snapshots.updateIf(id, { status: waiting }, { status: left });
    }
  },
  answer: () => null,
});

function snapshotsOf(volumeId: string) {
  return { projectId: null, filters: { volumeId } } as const;
}
