import { volumeCount } from '../pool-state.ts';
import type { Weigher } from './weigher.ts';

/** The number of volumes there. */
export const volumeNumberWeigher: Weigher = {
  name: 'VolumeNumberWeigher',
  multiplier: (options) => options.volume_number_multiplier,
  weigh: volumeCount,
};
