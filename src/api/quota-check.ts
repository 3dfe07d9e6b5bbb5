/** May a project have more? Called inside the transaction that adds it, after `lockProject`. */
import type { Store } from '../db/store.ts';
import { failure } from '../model/errors.ts';
import type { ApiOptions } from './options.ts';
import { readLimits } from './quota-figures.ts';

/** What a request would add; sizes in GiB. */
export interface Demand {
  readonly volumes?: number;
  readonly snapshots?: number;
  readonly volumeGb?: number;
  readonly snapshotGb?: number;
  /** The size that one volume would have. */
  readonly perVolumeGb?: number;
}

/** Throws VolumeLimitExceeded, SnapshotLimitExceeded, VolumeSizeExceedsLimit or VolumeSizeExceedsAvailableQuota. */
export async function checkQuota(tx: Store, options: ApiOptions, projectId: string, demand: Demand): Promise<void> {
  const limits = await readLimits(tx, options, projectId);
  const limitOf = (resource: string) => limits[resource] ?? -1;
  const used = await tx.quotas.usage(projectId);
  const { volumes = 0, snapshots = 0, perVolumeGb = 0, volumeGb = 0, snapshotGb = 0 } = demand;
  if (exceeds(perVolumeGb, limitOf('per_volume_gigabytes'))) {
    throw failure('VolumeSizeExceedsLimit', { size: perVolumeGb, limit: limitOf('per_volume_gigabytes') });
  }
  if (volumes > 0 && exceeds(used.volumes + volumes, limitOf('volumes'))) {
    throw failure('VolumeLimitExceeded', { limit: limitOf('volumes'), used: used.volumes });
  }
  if (snapshots > 0 && exceeds(used.snapshots + snapshots, limitOf('snapshots'))) {
    throw failure('SnapshotLimitExceeded', { limit: limitOf('snapshots'), used: used.snapshots });
  }
  const requested = volumeGb + (options.no_snapshot_gb_quota ? 0 : snapshotGb);
  const usedGb = used.volumeGb + (options.no_snapshot_gb_quota ? 0 : used.snapshotGb);
  if (requested > 0 && exceeds(usedGb + requested, limitOf('gigabytes'))) {
    throw failure('VolumeSizeExceedsAvailableQuota', { requested, used: usedGb, limit: limitOf('gigabytes') });
  }
}

function exceeds(amount: number, limit: number): boolean {
  return limit >= 0 && amount > limit;
}
