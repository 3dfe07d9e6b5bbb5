/** DELETE /volumes/{id} and os-force_delete. */
import type { Store, VolumeCondition } from '../../db/store.ts';
import { serviceHost } from '../../model/backend.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { snapshotTransitions, type VolumeStatus, volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { announceVolume } from '../../service/announce.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { refuseFrozen } from './frozen.ts';
import { recordOperation } from './record-operation.ts';
import { lockVolume } from './volume-status.ts';

export interface DeleteVolume {
  /** With its snapshots. */
  readonly cascade: boolean;
  /** In whatever status, unless attached. */
  readonly force: boolean;
}

/** Marks the volume and hands it to its backend; one that never got to a backend is deleted at once. */
export async function deleteVolume(
  services: ApiServices,
  context: RequestContext,
  id: string,
  how: DeleteVolume,
): Promise<void> {
  const step = await services.store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    const snapshots = await tx.snapshots.list({ projectId: null, filters: { volumeId: id } });
    const obstacles = await findObstacles(tx, volume, snapshots, how);
    if (obstacles.length > 0) {
      throw failure('InvalidVolume', { reason: `volume ${id} cannot be deleted: ${obstacles.join('; ')}.` });
    }
    if (volume.host === null) {
      await deleteUnplaced(tx, volume, how);
      return { unplaced: volume };
    }
    await refuseFrozen(tx, volume.host);
    for (const snapshot of snapshots) {
      await tx.snapshots.updateIf(snapshot.id, {}, { status: snapshotTransitions.remove.during });
    }
    return { operation: await markAndRecord(tx, context, volume, volume.host, how) };
  });
  if (step.operation !== undefined) return services.operations.wake(step.operation, context);
  announceVolume(services.store, { event: 'delete.start', context, row: step.unplaced });
  announceVolume(services.store, { event: 'delete.end', context, row: { ...step.unplaced, status: 'deleted' } });
}

/** Everything that stands in the way, in words: one answer tells it all. */
async function findObstacles(
  tx: Store,
  volume: Volume,
  snapshots: readonly Snapshot[],
  { cascade, force }: DeleteVolume,
): Promise<string[]> {
  const attachments = (await tx.attachments.listByVolume(volume.id)).length;
  const copies = await tx.volumes.count({
    projectId: null,
    filters: { sourceVolumeId: volume.id, status: volumeTransitions.create.during },
  });
  const obstacles: string[] = [];
  const accepted: readonly VolumeStatus[] = volumeTransitions.remove.accepts;
  if (!force && !accepted.includes(volume.status)) {
    obstacles.push(`its status is ${volume.status}, it must be ${accepted.join(' or ')}`);
  }
  if (attachments > 0 || volume.attachStatus === 'attached') {
    obstacles.push(`it is in use (${counted(attachments, 'attachment')}); detach it first`);
  }
  if (volume.migrationStatus !== null && !['error', 'success', 'none'].includes(volume.migrationStatus)) {
    obstacles.push(`its migration is ${volume.migrationStatus}`);
  }
  if (copies > 0) obstacles.push(`${counted(copies, 'volume')} being made from it`);
  if (!cascade && snapshots.length > 0) {
    obstacles.push(`it has ${counted(snapshots.length, 'snapshot')}; delete what it has first, or ask for cascade`);
  }
  return cascade ? [...obstacles, ...(await findSnapshotObstacles(tx, snapshots, force))] : obstacles;
}

async function findSnapshotObstacles(tx: Store, snapshots: readonly Snapshot[], force: boolean): Promise<string[]> {
  const accepted: readonly string[] = [...snapshotTransitions.remove.accepts, snapshotTransitions.remove.during];
  const obstacles: string[] = [];
  for (const snapshot of snapshots) {
    const uses = await tx.volumes.count({
      projectId: null,
      filters: { snapshotId: snapshot.id, status: volumeTransitions.create.during },
    });
    if (uses > 0) obstacles.push(`volumes are being made from its snapshot ${snapshot.id}`);
    if (!force && !accepted.includes(snapshot.status)) {
      obstacles.push(`its snapshot ${snapshot.id} is ${snapshot.status}`);
    }
  }
  return obstacles;
}

/** Nothing of it is anywhere but in the database. */
async function deleteUnplaced(tx: Store, volume: Volume, how: DeleteVolume): Promise<void> {
  const now = new Date();
  const changes = { status: volumeTransitions.remove.done, deleted: true, deletedAt: now, terminatedAt: now };
  const deleted = await tx.volumes.updateIf(volume.id, { ...stillDeletable(how), host: null }, changes);
  if (deleted === null) throw overtaken(volume);
}

async function markAndRecord(
  tx: Store,
  context: RequestContext,
  volume: Volume,
  host: string,
  how: DeleteVolume,
): Promise<Operation> {
  const marked = await tx.volumes.updateIf(volume.id, stillDeletable(how), {
    status: volumeTransitions.remove.during,
    previousStatus: volume.status,
    terminatedAt: new Date(),
  });
  if (marked === null) throw overtaken(volume);
  return recordOperation(tx, context, {
    resourceType: 'volume',
    resourceId: volume.id,
    method: 'delete_volume',
    arguments: { force: how.force, cascade: how.cascade },
    owner: serviceHost(host),
  });
}

/** The row is locked and was looked at; the UPDATE asks again all the same, because it is what decides. */
function stillDeletable({ cascade, force }: DeleteVolume): VolumeCondition {
  return {
    noAttachments: true,
    ...(force ? {} : { status: volumeTransitions.remove.accepts }),
    ...(cascade ? {} : { noSnapshots: true }),
  };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function overtaken(volume: Volume) {
  return failure('Overtaken', { what: `Volume ${volume.id}`, reason: 'another request was faster. Look at it again.' });
}
