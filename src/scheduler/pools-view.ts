/** What get_pools answers. Pure. */
import type { Service } from '../model/service.ts';
import type { PoolReport } from '../rpcapi/scheduler.ts';
import { checkService } from './filters/backend-state.ts';
import { checkExtraSpecs } from './filters/capabilities.ts';
import { matchesExtraSpec } from './filters/extra-spec-operators.ts';
import { currentCapabilities, type PoolState } from './pool-state.ts';

export interface PoolQuery {
  /** `host@backend#pool`. */
  readonly name?: string;
  /** Of the volume type that the pools have to serve. */
  readonly extraSpecs?: Readonly<Record<string, string>>;
  /** Capabilities that have to be equal. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** The pools of backends whose service is up, enabled and not frozen, by name, with what was promised since their reports. */
export function viewPools(
  pools: readonly PoolState[],
  services: readonly Service[],
  serviceDownTimeSeconds: number,
  query: PoolQuery,
): readonly PoolReport[] {
  const active = new Set(
    services
      .filter((service) => checkService(service, { purpose: 'create', serviceDownTimeSeconds }).pass)
      .map((service) => service.host),
  );
  return pools
    .filter((pool) => active.has(pool.serviceHost) && matches(pool, query))
    .map((pool) => ({ name: pool.name, capabilities: currentCapabilities(pool, pool.shown) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function matches(pool: PoolState, { name, extraSpecs, capabilities }: PoolQuery): boolean {
  if (name !== undefined && pool.name !== name) return false;
  const current = currentCapabilities(pool);
  if (extraSpecs !== undefined && !checkExtraSpecs(current, extraSpecs).pass) return false;
  return Object.entries(capabilities).every(
    ([key, value]) => Object.hasOwn(current, key) && matchesExtraSpec(current[key], String(value)),
  );
}
