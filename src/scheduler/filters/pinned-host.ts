import { poolName, serviceHost } from '../../model/backend.ts';
import { type Filter, pass, refuse } from './filter.ts';

/** A volume made from a snapshot or another volume goes where that is: no other place can copy it. */
export const pinnedHostFilter: Filter = {
  name: 'PinnedHostFilter',
  check({ pool }, { pinnedHost }) {
    if (pinnedHost === null || namesPool(pinnedHost, pool.name)) return pass;
    return refuse(`is not where the source is, ${pinnedHost}`);
  },
};

/** Whether `host@backend#pool` is the pool, or `host@backend` owns it. */
export function namesPool(host: string, pool: string): boolean {
  return poolName(host) === null ? serviceHost(pool) === host : pool === host;
}
