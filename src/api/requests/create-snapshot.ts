/** POST /snapshots. */
import { randomUUID } from 'node:crypto';
import { serviceHost } from '../../model/backend.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { snapshotTransitions, type VolumeStatus } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { checkQuota } from '../quota-check.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { refuseFrozen } from './frozen.ts';
import { projectOf } from './project.ts';
import { recordOperation } from './record-operation.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

export interface CreateSnapshot {
  readonly volumeId: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Also of a volume that is in use: its bytes as they are at that moment. */
  readonly allowInUse: boolean;
}

export async function createSnapshot(
  services: ApiServices,
  context: RequestContext,
  input: CreateSnapshot,
): Promise<Snapshot> {
  const { options } = services;
  const id = randomUUID();
  const projectId = projectOf(context);
  const { snapshot, operation } = await services.store.transaction(async (tx) => {
    await tx.quotas.lockProject(projectId);
    const volume = await lockVolume(tx, await findVolume(tx, context, input.volumeId));
    const host = refuseUnfit(volume, input.allowInUse);
    await refuseFrozen(tx, host);
    await checkQuota(tx, options, projectId, { snapshots: 1, snapshotGb: volume.sizeGb });
    const snapshot = await tx.snapshots.insert({
      id,
      volumeId: volume.id,
      volumeSizeGb: volume.sizeGb,
      volumeTypeId: volume.volumeTypeId,
      encryptionKeyId: volume.encryptionKeyId,
      status: snapshotTransitions.create.during,
      progress: '0%',
      userId: context.userId,
      projectId,
      displayName: input.name,
      displayDescription: input.description,
      metadata: input.metadata,
    });
    const operation = await recordOperation(tx, context, {
      resourceType: 'snapshot',
      resourceId: id,
      method: 'create_snapshot',
      arguments: { volumeId: volume.id },
      owner: serviceHost(host),
    });
    return { snapshot, operation };
  });
  await services.operations.wake(operation, context);
  return snapshot;
}

/** Returns where the volume is. */
function refuseUnfit(volume: Volume, allowInUse: boolean): string {
  const accepted: readonly VolumeStatus[] = allowInUse ? ['available', 'in-use'] : ['available'];
  if (!accepted.includes(volume.status)) throw wrongStatus(volume, 'take a snapshot of it', accepted);
  if (volume.migrationStatus !== null && !['error', 'success', 'none'].includes(volume.migrationStatus)) {
    throw failure('InvalidVolume', { reason: `volume ${volume.id}: its migration is ${volume.migrationStatus}.` });
  }
  if (volume.host === null) {
    throw failure('InvalidVolume', { reason: `volume ${volume.id} is on no backend. Delete it.` });
  }
  return volume.host;
}
