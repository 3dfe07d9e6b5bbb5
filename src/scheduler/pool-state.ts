/** What a scheduler knows of one pool, and the capacity arithmetic over it. Pure. */
import type { Capacity, PoolStats } from '../model/capacity.ts';

/** Room that is promised to an operation whose volume the backend's own figures may not show yet. */
export interface Reservation {
  readonly operationId: string;
  /** `host@backend#pool`. */
  readonly pool: string;
  readonly gb: number;
  /** 1 for a new volume, 0 for one that grows. */
  readonly volumes: 0 | 1;
  readonly placedAtMs: number;
}

export interface PoolState {
  /** `host@backend#pool`. */
  readonly name: string;
  /** `host@backend`. */
  readonly serviceHost: string;
  /** As reported, without the reservations. */
  readonly stats: PoolStats;
  readonly backendState: 'up' | 'down';
  /** The most volumes that the pool takes; null where its driver names no limit. */
  readonly maxVolumes: number | null;
  /** All words of the report, the pool's over its backend's: what extra specs are compared with. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** The part of it that get_pools shows. */
  readonly shown: Readonly<Record<string, unknown>>;
  /** When the backend measured it, by the backend's clock. */
  readonly reportedAtMs: number;
  readonly reservations: readonly Reservation[];
}

/** GiB promised since, or despite of, the last report. */
export function reservedGb(pool: PoolState): number {
  return pool.reservations.reduce((sum, reservation) => sum + reservation.gb, 0);
}

/** Sum of the sizes placed here. The reported sum comes from the database, so it has what was placed before the report. */
export function allocatedGb(pool: PoolState): number {
  return placedSinceReport(pool).reduce((sum, reservation) => sum + reservation.gb, pool.stats.allocatedGb);
}

/** Sum of the virtual sizes, with the promised ones. */
export function provisionedGb(pool: PoolState): number {
  return pool.stats.provisionedGb + reservedGb(pool);
}

/** Number of volumes placed here, counted as allocatedGb is. */
export function volumeCount(pool: PoolState): number {
  return placedSinceReport(pool).reduce((sum, reservation) => sum + reservation.volumes, pool.stats.totalVolumes);
}

function placedSinceReport(pool: PoolState): readonly Reservation[] {
  return pool.reservations.filter((reservation) => reservation.placedAtMs > pool.reportedAtMs);
}

/** Whether a volume with these extra specs is provisioned thin in this pool (`provisioning:type` = thin or thick). */
export function isThin(pool: PoolState, extraSpecs: Readonly<Record<string, string>>): boolean {
  return pool.stats.thinProvisioning && extraSpecs['provisioning:type'] !== 'thick';
}

/**
 * How much more can be promised, in GiB, never negative. Thick: what is free, less the reserved share of the total, less
 * the reservations. Thin: the smaller of what the ratio allows over the total and over the free space, so that a pool
 * that is physically full takes nothing. `infinite` or `unknown` only where no limit can be computed.
 */
export function headroom(pool: PoolState, thin: boolean): Capacity {
  const { total, free, reservedPercentage, maxOverSubscriptionRatio } = pool.stats;
  if (total.kind === 'known' && total.gb <= 0) return { kind: 'known', gb: 0 };
  const keptGb = total.kind === 'known' ? (total.gb * reservedPercentage) / 100 : 0;
  const promisedGb = reservedGb(pool);
  const limits: number[] = [];
  if (thin) {
    const ratio = maxOverSubscriptionRatio;
    if (total.kind === 'known') limits.push((total.gb - keptGb) * ratio - pool.stats.provisionedGb - promisedGb);
    if (free.kind === 'known') limits.push((free.gb - keptGb) * ratio - promisedGb);
  } else if (free.kind === 'known') limits.push(free.gb - keptGb - promisedGb);
  if (limits.length > 0) return { kind: 'known', gb: Math.max(0, Math.min(...limits)) };
  return free.kind === 'known' ? { kind: 'unknown' } : free;
}

/** The capabilities with the reservations taken into account, in the wire's words. */
export function currentCapabilities(
  pool: PoolState,
  words: Readonly<Record<string, unknown>> = pool.capabilities,
): Readonly<Record<string, unknown>> {
  const { free, thinProvisioning } = pool.stats;
  const adjusted: Record<string, unknown> = { ...words, allocated_capacity_gb: allocatedGb(pool) };
  // A new thin volume takes virtual capacity only.
  if (free.kind === 'known' && !thinProvisioning) {
    adjusted.free_capacity_gb = Math.max(0, free.gb - reservedGb(pool));
  }
  if ('provisioned_capacity_gb' in words) adjusted.provisioned_capacity_gb = provisionedGb(pool);
  if ('total_volumes' in words) adjusted.total_volumes = volumeCount(pool);
  return adjusted;
}
