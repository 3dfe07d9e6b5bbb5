import { headroom, isThin } from '../pool-state.ts';
import type { Weigher } from './weigher.ts';

/**
 * What could still be promised: free capacity, for thin pools the virtual one. As in Cinder a backend that reports
 * `infinite` or `unknown` comes last: it would otherwise draw every volume.
 */
export const capacityWeigher: Weigher = {
  name: 'CapacityWeigher',
  multiplier: (options) => options.capacity_weight_multiplier,
  weigh(pool, { extraSpecs }) {
    const room = headroom(pool, isThin(pool, extraSpecs));
    return room.kind === 'known' ? room.gb : null;
  },
};
