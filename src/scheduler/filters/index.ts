/** The roll-call of filters. */
import { failure } from '../../model/errors.ts';
import { availabilityZoneFilter } from './availability-zone.ts';
import { backendStateFilter } from './backend-state.ts';
import { capabilitiesFilter } from './capabilities.ts';
import { capacityFilter } from './capacity.ts';
import { excludedHostsFilter } from './excluded-hosts.ts';
import type { Filter } from './filter.ts';
import { pinnedHostFilter } from './pinned-host.ts';
import { volumeCountFilter } from './volume-count.ts';

/** What scheduler_default_filters can name. */
const choosable: readonly Filter[] = [availabilityZoneFilter, capacityFilter, capabilitiesFilter];

/** What is checked whatever the option says. */
const standing: readonly Filter[] = [pinnedHostFilter, excludedHostsFilter, backendStateFilter, volumeCountFilter];

/** For a volume that grows where it is. */
export const extendFilters: readonly Filter[] = [backendStateFilter, capacityFilter];

/** The filters for a new volume. Throws InvalidConfigurationValue for a name that does not exist. */
export function filtersByName(names: readonly string[]): readonly Filter[] {
  return [...standing, ...names.map(byName)];
}

function byName(name: string): Filter {
  const filter = choosable.find((candidate) => candidate.name === name);
  if (filter !== undefined) return filter;
  const known = choosable.map((candidate) => candidate.name).join(', ');
  throw failure('InvalidConfigurationValue', {
    option: 'scheduler_default_filters',
    group: 'DEFAULT',
    reason: `there is no filter ${name}; choose among ${known}`,
  });
}
