/** A capacity that a backend may be unable to say: a union, where the wire has a number or a word in one field. */
export type Capacity =
  | { readonly kind: 'known'; readonly gb: number }
  | { readonly kind: 'infinite' }
  | { readonly kind: 'unknown' };

/** What a backend reports of one pool. Sizes in GiB. */
export interface PoolStats {
  readonly name: string;
  readonly total: Capacity;
  readonly free: Capacity;
  /** Sum of the sizes of all volumes placed here, by the database: what the owner promised, not what is on disk. */
  readonly allocatedGb: number;
  /** Sum of the virtual sizes that the backend holds; differs from allocatedGb where it holds foreign volumes. */
  readonly provisionedGb: number;
  readonly reservedPercentage: number;
  readonly maxOverSubscriptionRatio: number;
  readonly thinProvisioning: boolean;
  readonly thickProvisioning: boolean;
  readonly totalVolumes: number;
  /** Further capabilities that extra specs can ask for. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What one backend reports to the schedulers. */
export interface BackendStats {
  readonly volumeBackendName: string;
  readonly vendorName: string;
  readonly driverVersion: string;
  /** `iSCSI`, `NVMe-oF`, … */
  readonly storageProtocol: string;
  readonly backendState: 'up' | 'down';
  readonly pools: readonly PoolStats[];
}

/** The wire form of a capacity: a number of GiB, or the word. */
export function capacityToWire(capacity: Capacity): number | 'infinite' | 'unknown' {
  return capacity.kind === 'known' ? capacity.gb : capacity.kind;
}

/** Reads the wire form; anything else counts as unknown. */
export function capacityFromWire(value: unknown): Capacity {
  if (value === 'infinite') return { kind: 'infinite' };
  const gb = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof gb === 'number' && Number.isFinite(gb) ? { kind: 'known', gb } : { kind: 'unknown' };
}
