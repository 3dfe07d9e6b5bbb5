/** Quotas and limits as clients read them. Pure. */

/** A limit (-1: none) and what of it is in use. */
export interface QuotaFigure {
  readonly limit: number;
  readonly inUse: number;
}
export type QuotaFigures = Readonly<Record<string, QuotaFigure>>;

/** os-quota-sets: plain limits. Without an id where the answer is to a change. */
export function quotaSetView(limits: Readonly<Record<string, number>>, id?: string) {
  return { ...limits, ...(id === undefined ? {} : { id }) };
}

/** os-quota-sets with `usage=true`. Nothing is ever reserved: what is in use is counted from the rows themselves. */
export function quotaUsageView(figures: QuotaFigures, id: string) {
  const entries = Object.entries(figures).map(([name, { limit, inUse }]) => [
    name,
    { limit, in_use: inUse, reserved: 0 },
  ]);
  return { ...Object.fromEntries(entries), id };
}

/** What `limits` calls the limit and the use of a resource. */
const limitNames: Readonly<Record<string, readonly [limit: string, used: string]>> = {
  volumes: ['maxTotalVolumes', 'totalVolumesUsed'],
  snapshots: ['maxTotalSnapshots', 'totalSnapshotsUsed'],
  gigabytes: ['maxTotalVolumeGigabytes', 'totalGigabytesUsed'],
  backups: ['maxTotalBackups', 'totalBackupsUsed'],
  backup_gigabytes: ['maxTotalBackupGigabytes', 'totalBackupGigabytesUsed'],
};

/** Absolute limits; there are no limits on rates of calls. */
export function limitsView(figures: QuotaFigures) {
  const named = Object.entries(limitNames).flatMap(([resource, names]) => {
    const figure = figures[resource];
    return figure === undefined ? [] : [{ names, figure }];
  });
  return {
    rate: [],
    absolute: {
      ...Object.fromEntries(named.map(({ names, figure }) => [names[0], figure.limit])),
      ...Object.fromEntries(named.map(({ names, figure }) => [names[1], figure.inUse])),
    },
  };
}
