/** Filter, weigh, pick. Pure. */
import { serviceHost } from '../model/backend.ts';
import type { Service } from '../model/service.ts';
import { backendStateFilter, checkService } from './filters/backend-state.ts';
import type { Candidate, Filter, PlacementRequest } from './filters/filter.ts';
import { pinnedHostFilter } from './filters/pinned-host.ts';
import type { SchedulerOptions } from './options.ts';
import type { PoolState } from './pool-state.ts';
import type { Weigher } from './weighers/weigher.ts';

/** Why one pool (or a backend of which no pool is known) was not taken. */
export interface Refusal {
  readonly pool: string;
  readonly filter: string;
  readonly reason: string;
}

export type Selection = { readonly chosen: PoolState } | { readonly refused: readonly Refusal[] };

/** What there is to choose from. */
export interface Fleet {
  readonly pools: readonly PoolState[];
  readonly services: readonly Service[];
  /** Why a service has no pool here: goes on from its `host@backend`. */
  whyWithoutPools(serviceHost: string): string;
}

/** How to decide: what the options say, resolved once. */
export interface SelectionRules {
  readonly filters: readonly Filter[];
  readonly weighers: readonly { readonly weigher: Weigher; readonly multiplier: number }[];
}

/** Chooses a pool, whatever the order in which they are given; of equally good ones the first by name. */
export function select(
  request: PlacementRequest,
  { pools, services, whyWithoutPools }: Fleet,
  rules: SelectionRules,
): Selection {
  const { candidates, refused } = candidatesOf(request, { pools, services, whyWithoutPools });
  const passed: PoolState[] = [];
  for (const candidate of candidates) {
    const refusal = firstRefusal(candidate, request, rules.filters);
    if (refusal === null) passed.push(candidate.pool);
    else refused.push(refusal);
  }
  if (passed.length === 0) return { refused: refused.toSorted(byPool) };
  const scores = score(request, passed, rules);
  let best = 0;
  for (let index = 1; index < passed.length; index += 1) {
    const isBetter = scores[index]! - scores[best]!;
    if (isBetter > 0 || (isBetter === 0 && passed[index]!.name < passed[best]!.name)) best = index;
  }
  return { chosen: passed[best]! };
}

/** Resolves weighers with the multipliers of the options. */
export function withMultipliers(weighers: readonly Weigher[], options: SchedulerOptions): SelectionRules['weighers'] {
  return weighers.map((weigher) => ({ weigher, multiplier: weigher.multiplier(options) }));
}

/** The score of each pool: the weighers' values normalised to 0..1 over the pools, multiplied and added. */
export function score(
  request: PlacementRequest,
  pools: readonly PoolState[],
  { weighers }: Pick<SelectionRules, 'weighers'>,
): readonly number[] {
  const totals = pools.map(() => 0);
  for (const { weigher, multiplier } of weighers) {
    const normalised = normalise(
      pools.map((pool) => weigher.weigh(pool, request)),
      multiplier < 0 ? 1 : 0,
    );
    for (const [index, value] of normalised.entries()) totals[index]! += value * multiplier;
  }
  return totals;
}

/** Maps values to 0..1, smallest to largest; all equal is 0. What is not a finite number becomes `last`. */
function normalise(values: readonly (number | null)[], last: 0 | 1): readonly number[] {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  const smallest = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const range = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - smallest;
  // Where all known values are equal they still have to beat the unknown ones.
  const equal = last === 0 && known.length < values.length ? 1 : 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return last;
    return range > 0 ? (value - smallest) / range : equal;
  });
}

/** Brings pools and services together; a service without pools and a pool without a service are refused at once. */
function candidatesOf(request: PlacementRequest, { pools, services, whyWithoutPools }: Fleet) {
  const byHost = new Map(services.map((service) => [service.host, service]));
  const reported = new Set(pools.map((pool) => pool.serviceHost));
  const candidates: Candidate[] = [];
  const refused: Refusal[] = [];
  for (const pool of pools) {
    const service = byHost.get(pool.serviceHost);
    if (service !== undefined) candidates.push({ pool, service });
    else refused.push({ pool: pool.name, filter: backendStateFilter.name, reason: 'has no service record any more' });
  }
  for (const service of services.filter(({ host }) => !reported.has(host))) {
    refused.push({ pool: service.host, ...withoutPools(service, request, whyWithoutPools) });
  }
  return { candidates, refused };
}

function withoutPools(
  service: Service,
  request: PlacementRequest,
  whyWithoutPools: Fleet['whyWithoutPools'],
): Omit<Refusal, 'pool'> {
  const { pinnedHost } = request;
  if (pinnedHost !== null && serviceHost(pinnedHost) !== service.host) {
    return { filter: pinnedHostFilter.name, reason: `is not where the source is, ${pinnedHost}` };
  }
  const verdict = checkService(service, request);
  return { filter: backendStateFilter.name, reason: verdict.pass ? whyWithoutPools(service.host) : verdict.reason };
}

function firstRefusal(candidate: Candidate, request: PlacementRequest, filters: readonly Filter[]): Refusal | null {
  for (const filter of filters) {
    const verdict = filter.check(candidate, request);
    if (!verdict.pass) return { pool: candidate.pool.name, filter: filter.name, reason: verdict.reason };
  }
  return null;
}

function byPool(a: Refusal, b: Refusal): number {
  if (a.pool === b.pool) return 0;
  return a.pool < b.pool ? -1 : 1;
}
