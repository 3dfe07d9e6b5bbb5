/** DELETE /snapshots/{id} and os-force_delete. */
import { serviceHost } from '../../model/backend.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { type SnapshotStatus, snapshotTransitions } from '../../model/status.ts';
import type { ApiServices } from '../route.ts';
import { findSnapshot, lockSnapshot } from './find-snapshot.ts';
import { refuseFrozen } from './frozen.ts';
import { recordOperation } from './record-operation.ts';

/** `force`: in whatever status it is. */
export async function deleteSnapshot(
  services: ApiServices,
  context: RequestContext,
  id: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  const operation = await services.store.transaction(async (tx) => {
    const snapshot = await lockSnapshot(tx, await findSnapshot(tx, context, id));
    const volume = await tx.volumes.get(snapshot.volumeId);
    if (volume?.host == null) {
      throw failure('InvalidSnapshot', {
        reason: `volume ${snapshot.volumeId} of snapshot ${id} is on no backend, so nobody can delete the snapshot.`,
      });
    }
    await refuseFrozen(tx, volume.host);
    const { accepts, during } = snapshotTransitions.remove;
    const condition = { notInUse: true, ...(force ? {} : { status: accepts }) } as const;
    const marked = await tx.snapshots.updateIf(id, condition, { status: during });
    if (marked === null) throw failure('InvalidSnapshot', { reason: describeObstacle(snapshot, force) });
    return recordOperation(tx, context, {
      resourceType: 'snapshot',
      resourceId: id,
      method: 'delete_snapshot',
      arguments: { volumeId: volume.id },
      owner: serviceHost(volume.host),
    });
  });
  await services.operations.wake(operation, context);
}

function describeObstacle({ id, status }: Snapshot, force: boolean): string {
  const accepted: readonly SnapshotStatus[] = snapshotTransitions.remove.accepts;
  if (force || accepted.includes(status)) return `volumes are being made from snapshot ${id}. Wait for them.`;
  return `snapshot ${id} is ${status}; to delete it it must be ${accepted.join(' or ')}.`;
}
