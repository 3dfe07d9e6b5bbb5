/** From what a driver measures and the database promises to what the schedulers are told. Pure. */
import type { DriverStats } from '../driver/driver.ts';
import type { PoolMeasurement } from '../lib/measure.ts';
import { type BackendStats, capacityToWire, type PoolStats } from '../model/capacity.ts';

export interface StatsInput {
  readonly volumeBackendName: string;
  readonly storageProtocol: string;
  readonly reservedPercentage: number;
  readonly maxOverSubscriptionRatio: number | 'auto';
  /** Sum of sizes by volumes.host: the database's promise, not a counter that could drift. */
  readonly allocated: readonly { readonly host: string; readonly sizeGb: number; readonly count: number }[];
  readonly serviceHost: string;
}

export function backendStats(driver: DriverStats, input: StatsInput): BackendStats {
  const pools = driver.pools.map((pool): PoolStats => {
    const host = `${input.serviceHost}#${pool.name}`;
    const allocated = input.allocated.find((entry) => entry.host === host);
    return {
      name: pool.name,
      total: pool.total,
      free: pool.free,
      allocatedGb: allocated?.sizeGb ?? 0,
      provisionedGb: pool.provisionedGb,
      reservedPercentage: input.reservedPercentage,
      maxOverSubscriptionRatio: overSubscription(input.maxOverSubscriptionRatio, pool),
      thinProvisioning: pool.thinProvisioning,
      thickProvisioning: pool.thickProvisioning,
      totalVolumes: allocated?.count ?? 0,
      extra: pool.extra,
    };
  });
  return {
    volumeBackendName: input.volumeBackendName,
    vendorName: driver.vendorName,
    driverVersion: driver.driverVersion,
    storageProtocol: input.storageProtocol,
    backendState: 'up',
    pools,
  };
}

/** The words of update_service_capabilities, with the field names that Cinder's schedulers read. */
export function statsToWire(stats: BackendStats): Record<string, unknown> {
  return {
    volume_backend_name: stats.volumeBackendName,
    vendor_name: stats.vendorName,
    driver_version: stats.driverVersion,
    storage_protocol: stats.storageProtocol,
    backend_state: stats.backendState,
    replication_enabled: false,
    pools: stats.pools.map((pool) => ({
      ...pool.extra,
      pool_name: pool.name,
      total_capacity_gb: capacityToWire(pool.total),
      free_capacity_gb: capacityToWire(pool.free),
      allocated_capacity_gb: pool.allocatedGb,
      provisioned_capacity_gb: pool.provisionedGb,
      reserved_percentage: pool.reservedPercentage,
      max_over_subscription_ratio: String(pool.maxOverSubscriptionRatio),
      thin_provisioning_support: pool.thinProvisioning,
      thick_provisioning_support: pool.thickProvisioning,
      total_volumes: pool.totalVolumes,
      location_info: '',
      QoS_support: false,
      multiattach: true,
      backend_state: stats.backendState,
      filter_function: null,
      goodness_function: null,
    })),
  };
}

/** A pool as the metrics see it. */
export function poolMeasurement(serviceHost: string, pool: PoolStats): PoolMeasurement {
  return {
    name: `${serviceHost}#${pool.name}`,
    totalGb: pool.total.kind === 'known' ? pool.total.gb : null,
    freeGb: pool.free.kind === 'known' ? pool.free.gb : null,
    allocatedGb: pool.allocatedGb,
    provisionedGb: pool.provisionedGb,
  };
}

/** Reads max_over_subscription_ratio: a number of 1 or more, or `auto`. Null for anything else. */
export function parseOverSubscription(text: string): number | 'auto' | null {
  if (text.trim() === 'auto') return 'auto';
  const ratio = Number(text);
  return text.trim() !== '' && Number.isFinite(ratio) && ratio >= 1 ? ratio : null;
}

/** `auto`: what the volumes so far turned out to need, at most 20. */
function overSubscription(ratio: number | 'auto', pool: DriverStats['pools'][number]): number {
  if (ratio !== 'auto') return ratio;
  if (pool.total.kind !== 'known' || pool.free.kind !== 'known') return 20;
  const usedGb = pool.total.gb - pool.free.gb;
  if (usedGb <= 0 || pool.provisionedGb <= 0) return 20;
  return Math.min(20, Math.max(1, Math.round((pool.provisionedGb / usedGb) * 100) / 100));
}
