/** Pools and a backend's capabilities as clients read them. Pure. */
import type { PoolReport } from '../../rpcapi/scheduler.ts';
import { timestamp } from './timestamp.ts';

export function poolSummary(pool: PoolReport) {
  return { name: pool.name };
}

export function poolDetail(pool: PoolReport) {
  const { capabilities } = pool;
  const { storage_protocol: protocol, timestamp: reportedAt } = capabilities;
  return {
    name: pool.name,
    capabilities: {
      ...capabilities,
      ...('storage_protocol' in capabilities ? { storage_protocol: preferred(protocol) } : {}),
      ...('timestamp' in capabilities ? { timestamp: dateOf(reportedAt) } : {}),
    },
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

/** As every other date; what is none stays as it is. */
function dateOf(reportedAt: unknown): unknown {
  // Without a zone it is UTC, already in this form.
  if (typeof reportedAt !== 'string' || !reportedAt.endsWith('Z')) return reportedAt;
  const date = new Date(reportedAt);
  return Number.isNaN(date.getTime()) ? reportedAt : timestamp(date);
}

/** A backend may report every spelling of its protocol; the first one is for people. */
function preferred(protocol: unknown): unknown {
  return Array.isArray(protocol) ? protocol[0] : protocol;
}
