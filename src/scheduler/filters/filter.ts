import type { Service } from '../../model/service.ts';
import type { PoolState } from '../pool-state.ts';

/** What is asked of a pool. */
export interface PlacementRequest {
  readonly purpose: 'create' | 'extend';
  /** GiB that the pool has to find: the volume's size, or its growth. */
  readonly sizeGb: number;
  /** Of the volume's type. */
  readonly extraSpecs: Readonly<Record<string, string>>;
  readonly availabilityZone: string | null;
  /** The only place that will do: `host@backend#pool`, or `host@backend` for any pool of it. */
  readonly pinnedHost: string | null;
  /** Places that failed at it already, in the same form. */
  readonly excludedHosts: readonly string[];
  /** What each of them said, by the same names. */
  readonly failures: Readonly<Record<string, string>>;
  readonly serviceDownTimeSeconds: number;
}

/** A pool and the service that owns it. */
export interface Candidate {
  readonly pool: PoolState;
  readonly service: Service;
}

/** `reason` goes on from the pool's name: "has 3.0 GiB free, 10 GiB asked for". */
export type Verdict = { readonly pass: true } | { readonly pass: false; readonly reason: string };

/** Decides about one pool. Pure. */
export interface Filter {
  /** As scheduler_default_filters and refusals name it. */
  readonly name: string;
  check(candidate: Candidate, request: PlacementRequest): Verdict;
}

export const pass: Verdict = { pass: true };

export function refuse(reason: string): Verdict {
  return { pass: false, reason };
}
