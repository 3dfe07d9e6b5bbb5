/** All limits of a project and what of them is in use, under the names that quota sets have. */
import type { Store } from '../db/store.ts';
import type { ApiOptions } from './options.ts';
import type { QuotaFigure, QuotaFigures } from './views/quota.ts';

export type QuotaLimits = Readonly<Record<string, number>>;

/** The project's own limits, else those of the class `default`, else the options; per type unlimited. -1 is unlimited. */
export async function readLimits(store: Store, options: ApiOptions, projectId: string): Promise<QuotaLimits> {
  return { ...(await readDefaultLimits(store, options)), ...(await store.quotas.limits(projectId)) };
}

/** What a project has that has no limits of its own. */
export async function readDefaultLimits(store: Store, options: ApiOptions): Promise<QuotaLimits> {
  const types = await store.types.list({});
  const perType = types.flatMap(({ name }) => [`volumes_${name}`, `gigabytes_${name}`, `snapshots_${name}`]);
  return {
    volumes: options.quota_volumes,
    per_volume_gigabytes: options.per_volume_size_limit,
    snapshots: options.quota_snapshots,
    gigabytes: options.quota_gigabytes,
    ...notThereYet,
    ...Object.fromEntries(perType.map((name) => [name, -1])),
    ...(await store.quotas.classLimits('default')),
  };
}

/** Clients expect these too. Nothing can use them up before there are backups and groups. */
const notThereYet = { backups: 10, backup_gigabytes: 1000, groups: 10 };

/** With what is in use of the project's totals; per type see `readFiguresByType`. */
export async function readFigures(store: Store, options: ApiOptions, projectId: string): Promise<QuotaFigures> {
  const limits = await readLimits(store, options, projectId);
  const usage = await store.quotas.usage(projectId);
  const inUse: Readonly<Record<string, number>> = {
    volumes: usage.volumes,
    snapshots: usage.snapshots,
    gigabytes: usage.volumeGb + (options.no_snapshot_gb_quota ? 0 : usage.snapshotGb),
  };
  return withUsage(limits, inUse);
}

/** The same, with what is in use per type: one more query per type and one per thousand snapshots. */
export async function readFiguresByType(store: Store, options: ApiOptions, projectId: string): Promise<QuotaFigures> {
  const figures = await readFigures(store, options, projectId);
  const inUse: Record<string, number> = {};
  const snapshots = await sumSnapshotsByType(store, projectId);
  for (const { id, name } of await store.types.list({})) {
    const volumes = await store.volumes.summary({ projectId, filters: { volumeTypeId: id } });
    const ofType = snapshots.get(id) ?? { count: 0, sizeGb: 0 };
    inUse[`volumes_${name}`] = volumes.count;
    inUse[`snapshots_${name}`] = ofType.count;
    inUse[`gigabytes_${name}`] = volumes.sizeGb + (options.no_snapshot_gb_quota ? 0 : ofType.sizeGb);
  }
  return Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [name, { ...figure, inUse: inUse[name] ?? figure.inUse }]),
  );
}

const PAGE = 1000;

async function sumSnapshotsByType(store: Store, projectId: string) {
  const sums = new Map<string, { count: number; sizeGb: number }>();
  let marker: string | undefined;
  do {
    const page = await store.snapshots.list({ projectId, limit: PAGE, ...(marker === undefined ? {} : { marker }) });
    for (const { volumeTypeId, volumeSizeGb } of page) {
      const sum = sums.get(volumeTypeId) ?? { count: 0, sizeGb: 0 };
      sums.set(volumeTypeId, { count: sum.count + 1, sizeGb: sum.sizeGb + volumeSizeGb });
    }
    marker = page.length < PAGE ? undefined : page.at(-1)!.id;
  } while (marker !== undefined);
  return sums;
}

function withUsage(limits: QuotaLimits, inUse: Readonly<Record<string, number>>): QuotaFigures {
  const figures = Object.entries(limits).map(([name, limit]): [string, QuotaFigure] => [
    name,
    { limit, inUse: inUse[name] ?? 0 },
  ]);
  return Object.fromEntries(figures);
}
