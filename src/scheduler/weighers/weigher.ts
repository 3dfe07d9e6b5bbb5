import type { PlacementRequest } from '../filters/filter.ts';
import type { SchedulerOptions } from '../options.ts';
import type { PoolState } from '../pool-state.ts';

/** Gives a pool a value; the values of all pools are normalised to 0..1, multiplied and added. Pure. */
export interface Weigher {
  /** As scheduler_default_weighers names it. */
  readonly name: string;
  /** Positive: more is better. Negative: less is. */
  multiplier(options: SchedulerOptions): number;
  /** Null where the backend cannot say: that puts the pool last, whatever the multiplier's sign. */
  weigh(pool: PoolState, request: PlacementRequest): number | null;
}
