import { apiOptions } from '../api/options.ts';
import type { OptionGroup } from '../config/groups.ts';
import { serviceOptions } from '../service/options.ts';
import { backendOptions, volumeServiceOptions } from '../volume/options.ts';
import { volumeDrivers } from './drivers.ts';

/**
 * The roll-call of all options: one line adds a part's. The sample file is made of it, an option in it is never
 * "unknown", and references find the defaults in it. Run `npm run generate` after a change.
 */
export const optionGroups: readonly OptionGroup[] = [
  { group: 'DEFAULT', title: 'Every service', options: serviceOptions },
  { group: 'DEFAULT', title: 'API', options: apiOptions },
  { group: 'DEFAULT', title: 'Volume service', options: volumeServiceOptions },
  { group: 'backend_defaults', title: 'Every backend', options: backendOptions },
  ...volumeDrivers.map(({ name, options }) => ({
    group: 'backend_defaults',
    title: `Volume driver ${name}`,
    options,
  })),
];
