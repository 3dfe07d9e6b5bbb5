/** Pools and a backend's capabilities as clients read them. Pure. */
import type { PoolReport } from '../../rpcapi/scheduler.ts';

export function poolSummary(pool: PoolReport) {
  return { name: pool.name };
}

export function poolDetail(pool: PoolReport) {
  const { storage_protocol: protocol } = pool.capabilities;
  return {
    name: pool.name,
    capabilities:
      'storage_protocol' in pool.capabilities
        ? { ...pool.capabilities, storage_protocol: preferred(protocol) }
        : pool.capabilities,
  };
}

/** `serviceHost` is the `host@backend` asked. */
export function capabilitiesView(serviceHost: string, capabilities: Readonly<Record<string, unknown>>) {
  return {
    namespace: `OS::Storage::Capabilities::${serviceHost}`,
    vendor_name: capabilities.vendor_name ?? null,
    volume_backend_name: capabilities.volume_backend_name ?? null,
    pool_name: capabilities.pool_name ?? null,
    driver_version: capabilities.driver_version ?? null,
    storage_protocol: preferred(capabilities.storage_protocol) ?? null,
    display_name: capabilities.display_name ?? null,
    description: capabilities.description ?? null,
    visibility: capabilities.visibility ?? null,
    replication_targets: capabilities.replication_targets ?? [],
    properties: capabilities.properties ?? {},
  };
}

/** A backend may report every spelling of its protocol; the first one is for people. */
function preferred(protocol: unknown): unknown {
  return Array.isArray(protocol) ? protocol[0] : protocol;
}
