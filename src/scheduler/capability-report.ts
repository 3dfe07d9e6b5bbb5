/** Reads what a backend reports (`update_service_capabilities`), in Cinder's wire words. Pure. */
import { capacityFromWire, type PoolStats } from '../model/capacity.ts';

/** One pool of a report. */
export interface ReportedPool {
  readonly stats: PoolStats;
  readonly backendState: 'up' | 'down';
  readonly maxVolumes: number | null;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly shown: Readonly<Record<string, unknown>>;
}

export interface CapabilityReport {
  /** `host@backend`. */
  readonly serviceHost: string;
  /** When it was made, by the backend's clock; null where it does not say. */
  readonly reportedAtMs: number | null;
  /** Why the whole backend is down, where it says that it is; '' without a reason. */
  readonly downReason: string | null;
  readonly pools: readonly ReportedPool[];
}

type Words = Readonly<Record<string, unknown>>;

/** What Cinder assumes where a backend names no ratio, and where `auto` has nothing to compute from. */
const DEFAULT_OVER_SUBSCRIPTION_RATIO = 20;

/** Backend words that get_pools shows with each pool. */
const INHERITED_WORDS = ['volume_backend_name', 'storage_protocol', 'vendor_name', 'driver_version'];

/** Spellings of one protocol, so that a type may ask for any of them. */
const PROTOCOL_SPELLINGS: readonly (readonly string[])[] = [
  ['iSCSI', 'iscsi'],
  ['FC', 'fibre_channel', 'fc'],
  ['NFS', 'nfs'],
  ['NVMe-oF', 'NVMeOF', 'nvmeof'],
];

/**
 * Reads the arguments of update_service_capabilities: `{service_name, host, capabilities, timestamp}`. A backend without
 * a `pools` list counts as one pool, named after the backend. Null for what is not a report of a volume service.
 */
export function readCapabilityReport(args: unknown): CapabilityReport | null {
  if (!isWords(args) || !isWords(args.capabilities)) return null;
  const { service_name: serviceName = 'volume', host, capabilities, timestamp } = args;
  if (serviceName !== 'volume' || typeof host !== 'string' || host === '') return null;
  const stamp = typeof timestamp === 'string' ? timestamp : null;
  const { pools, ...backend } = capabilities;
  const fallbackName = textOf(backend.volume_backend_name) ?? '_pool0';
  const list = Array.isArray(pools) ? pools.filter(isWords) : [{ ...backend, pool_name: fallbackName }];
  return {
    serviceHost: host,
    reportedAtMs: stamp === null ? null : parseWireTime(stamp),
    downReason: backend.backend_state === 'down' ? (textOf(backend.down_reason) ?? '') : null,
    pools: list.map((pool) => readPool(pool, backend, fallbackName, stamp)),
  };
}

/** Milliseconds of `YYYY-MM-DDTHH:MM:SS.ffffff`, which is UTC even without a zone; null for anything else. */
export function parseWireTime(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(text)) return null;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
}

function readPool(pool: Words, backend: Words, fallbackName: string, stamp: string | null): ReportedPool {
  const inherited = Object.fromEntries(INHERITED_WORDS.flatMap((key) => (key in backend ? [[key, backend[key]]] : [])));
  const shown = withProtocolSpellings({ ...inherited, ...pool, ...(stamp === null ? {} : { timestamp: stamp }) });
  const merged = withProtocolSpellings({ ...backend, ...shown });
  const down = merged.backend_state === 'down' || backend.backend_state === 'down';
  const maxVolumes = numberOf(merged.max_volumes);
  return {
    stats: readStats(merged, textOf(pool.pool_name) ?? fallbackName),
    backendState: down ? 'down' : 'up',
    maxVolumes: maxVolumes === null || maxVolumes < 0 ? null : maxVolumes,
    capabilities: merged,
    shown,
  };
}

function readStats(words: Words, name: string): PoolStats {
  const total = capacityFromWire(words.total_capacity_gb);
  const free = capacityFromWire(words.free_capacity_gb);
  const allocatedGb = atLeastZero(words.allocated_capacity_gb);
  const provisionedGb =
    words.provisioned_capacity_gb === undefined ? allocatedGb : atLeastZero(words.provisioned_capacity_gb);
  const thinProvisioning = isTrue(words.thin_provisioning_support);
  const usedGb = total.kind === 'known' && free.kind === 'known' ? Math.max(0, total.gb - free.gb) : null;
  return {
    name,
    total,
    free: free.kind === 'known' ? { kind: 'known', gb: Math.max(0, free.gb) } : free,
    allocatedGb,
    provisionedGb,
    reservedPercentage: Math.min(100, atLeastZero(words.reserved_percentage)),
    maxOverSubscriptionRatio: readRatio(words.max_over_subscription_ratio, provisionedGb, usedGb),
    thinProvisioning,
    thickProvisioning:
      'thick_provisioning_support' in words ? isTrue(words.thick_provisioning_support) : !thinProvisioning,
    totalVolumes: atLeastZero(words.total_volumes),
    extra: words,
  };
}

/**
 * The ratio; `auto` follows how much of the promised capacity is really in use: 1 + provisioned / (used + 1). What
 * cannot be read, or is below 1, means no over-subscription.
 */
function readRatio(value: unknown, provisionedGb: number, usedGb: number | null): number {
  if (value === undefined || value === null) return DEFAULT_OVER_SUBSCRIPTION_RATIO;
  if (value === 'auto') {
    if (provisionedGb === 0) return DEFAULT_OVER_SUBSCRIPTION_RATIO;
    return usedGb === null ? 1 : 1 + provisionedGb / (usedGb + 1);
  }
  return Math.max(1, numberOf(value) ?? 1);
}

function withProtocolSpellings(words: Words): Words {
  const protocol = words.storage_protocol;
  const spellings = PROTOCOL_SPELLINGS.find((group) => typeof protocol === 'string' && group.includes(protocol));
  return spellings === undefined ? words : { ...words, storage_protocol: spellings };
}

function isWords(value: unknown): value is Words {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: unknown): number | null {
  const capacity = capacityFromWire(value);
  return capacity.kind === 'known' ? capacity.gb : null;
}

function atLeastZero(value: unknown): number {
  return Math.max(0, numberOf(value) ?? 0);
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}
