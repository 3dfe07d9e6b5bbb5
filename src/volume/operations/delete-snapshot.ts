import { snapshotTransitions } from '../../model/status.ts';
import { defineOperation, loadSnapshot } from '../operation.ts';

const { during, done, failed, recover } = snapshotTransitions.remove;

export const deleteSnapshot = defineOperation({
  method: 'delete_snapshot',
  recover,
  changesCapacity: true,
  locks: ({ operation, args }) => [`snapshot:${operation.resourceId}`, `volume:${args.volumeId}`],
  load: (store, { operation }) => loadSnapshot(store, operation.resourceId, during),
  async run({ backend }, { snapshot, volume }) {
    await backend.driver.deleteSnapshot(await backend.toDriverSnapshot(snapshot, volume));
  },
  async succeed(tx, { snapshot }) {
    const changes = { status: done, deleted: true, deletedAt: new Date() };
    if ((await tx.snapshots.updateIf(snapshot.id, { status: during }, changes)) === null) return false;
    const { projectId, useQuota, volumeSizeGb: gb, volumeTypeId } = snapshot;
    if (useQuota) await tx.peers.freeUsage(projectId, { volumes: 0, snapshots: 1, gb, volumeTypeId });
    return true;
  },
  async fail(tx, { snapshot }) {
    await tx.snapshots.updateIf(snapshot.id, { status: during }, { status: failed });
  },
});
