import { volumeCount } from '../pool-state.ts';
import { type Filter, pass, refuse } from './filter.ts';

/** A pool whose driver reports `max_volumes` takes no more than that: some backends stop working beyond a number. */
export const volumeCountFilter: Filter = {
  name: 'VolumeCountFilter',
  check({ pool }, { purpose }) {
    if (purpose === 'extend' || pool.maxVolumes === null || volumeCount(pool) < pool.maxVolumes) return pass;
    return refuse(`has ${volumeCount(pool)} volumes, its limit is ${pool.maxVolumes}`);
  },
};
