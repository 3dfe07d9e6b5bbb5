import { apiOptions } from '../api/options.ts';
import type { OptionGroup } from '../config/groups.ts';
import type { Options } from '../config/options.ts';
import { databaseOptions } from '../db/options.ts';
import { execOptions } from '../exec/options.ts';
import { notificationOptions, rabbitOptions, rpcOptions } from '../rpc/options.ts';
import { schedulerOptions } from '../scheduler/options.ts';
import { metricsOptions } from '../service/metrics-options.ts';
import { serviceOptions } from '../service/options.ts';
import { backendOptions, volumeServiceOptions } from '../volume/options.ts';
import { volumeDrivers } from './drivers.ts';
import { processOptions } from './node/options.ts';
import { targets } from './targets.ts';

/**
 * The roll-call of all options: one line adds a part's, a driver or target is in it by its own roll-call. The sample file
 * is made of it, an option in it is never "unknown", and references find the defaults in it. Run `npm run generate`
 * after a change.
 */
export const optionGroups: readonly OptionGroup[] = [
  { group: 'DEFAULT', title: 'Process', options: processOptions },
  { group: 'DEFAULT', title: 'Every service', options: serviceOptions },
  { group: 'DEFAULT', title: 'Messages', options: rpcOptions },
  { group: 'DEFAULT', title: 'Metrics', options: metricsOptions },
  { group: 'DEFAULT', title: 'Commands as root', options: execOptions },
  { group: 'DEFAULT', title: 'API', options: apiOptions },
  { group: 'DEFAULT', title: 'Scheduler', options: schedulerOptions },
  { group: 'DEFAULT', title: 'Volume service', options: volumeServiceOptions },
  { group: 'database', title: 'Database', options: databaseOptions },
  { group: 'oslo_messaging_rabbit', title: 'RabbitMQ', options: rabbitOptions },
  { group: 'oslo_messaging_notifications', title: 'Notifications', options: notificationOptions },
  { group: 'backend_defaults', title: 'Every backend', options: backendOptions },
  ...volumeDrivers.map((driver) => ofBackend(`Volume driver ${driver.name}`, driver.options)),
  ...targets.map((target) => ofBackend(`Target ${target.name}`, target.options)),
];

function ofBackend(title: string, options: Options): OptionGroup {
  return { group: 'backend_defaults', title, options };
}
