import { type Filter, pass, refuse } from './filter.ts';
import { namesPool } from './pinned-host.ts';

/** A retry goes to another place than the ones that failed. */
export const excludedHostsFilter: Filter = {
  name: 'ExcludedHostsFilter',
  check({ pool }, { excludedHosts, failures }) {
    const failed = excludedHosts.find((host) => namesPool(host, pool.name));
    if (failed === undefined) return pass;
    return refuse(`failed at this volume before: ${failures[failed] ?? 'its log says why'}`);
  },
};
