import { allocatedGb } from '../pool-state.ts';
import type { Weigher } from './weigher.ts';

/** The sum of the sizes of the volumes placed there. */
export const allocatedCapacityWeigher: Weigher = {
  name: 'AllocatedCapacityWeigher',
  multiplier: (options) => options.allocated_capacity_weight_multiplier,
  weigh: allocatedGb,
};
