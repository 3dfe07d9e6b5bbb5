/** May a project have more? Called inside the transaction that adds it, after `lockProject`. */
import type { Store } from '../db/store.ts';
import { failure } from '../model/errors.ts';
import type { ApiOptions } from './options.ts';

type QuotaOptions = Pick<
  ApiOptions,
  'quota_volumes' | 'quota_snapshots' | 'quota_gigabytes' | 'per_volume_size_limit' | 'no_snapshot_gb_quota'
>;

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
export async function checkQuota(tx: Store, options: QuotaOptions, projectId: string, demand: Demand): Promise<void> {
  const limits = await effectiveLimits(tx, options, projectId);
  const used = await tx.quotas.usage(projectId);
  const { volumes = 0, snapshots = 0, perVolumeGb = 0, volumeGb = 0, snapshotGb = 0 } = demand;
  if (exceeds(perVolumeGb, limits.per_volume_gigabytes)) {
    throw failure('VolumeSizeExceedsLimit', { size: perVolumeGb, limit: limits.per_volume_gigabytes });
  }
  if (volumes > 0 && exceeds(used.volumes + volumes, limits.volumes)) {
    throw failure('VolumeLimitExceeded', { limit: limits.volumes, used: used.volumes });
  }
  if (snapshots > 0 && exceeds(used.snapshots + snapshots, limits.snapshots)) {
    throw failure('SnapshotLimitExceeded', { limit: limits.snapshots, used: used.snapshots });
  }
  const requested = volumeGb + (options.no_snapshot_gb_quota ? 0 : snapshotGb);
  const usedGb = used.volumeGb + (options.no_snapshot_gb_quota ? 0 : used.snapshotGb);
  if (requested > 0 && exceeds(usedGb + requested, limits.gigabytes)) {
    throw failure('VolumeSizeExceedsAvailableQuota', { requested, used: usedGb, limit: limits.gigabytes });
  }
}

interface Limits {
  readonly volumes: number;
  readonly snapshots: number;
  readonly gigabytes: number;
  readonly per_volume_gigabytes: number;
}

/** The project's own limits, else those of the class `default`, else the options; -1 is unlimited. */
async function effectiveLimits(store: Store, options: QuotaOptions, projectId: string): Promise<Limits> {
  return {
    volumes: options.quota_volumes,
    snapshots: options.quota_snapshots,
    gigabytes: options.quota_gigabytes,
    per_volume_gigabytes: options.per_volume_size_limit,
    ...(await store.quotas.classLimits('default')),
    ...(await store.quotas.limits(projectId)),
  };
}

function exceeds(amount: number, limit: number): boolean {
  return limit >= 0 && amount > limit;
}
