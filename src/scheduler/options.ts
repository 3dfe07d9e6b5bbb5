import { option, type ValuesOf } from '../config/options.ts';

/** The scheduler's options, [DEFAULT] group; names, types and defaults are Cinder's. */
export const schedulerOptions = {
  scheduler_default_filters: option.list(
    ['AvailabilityZoneFilter', 'CapacityFilter', 'CapabilitiesFilter'],
    'Filters that a pool has to pass, in this order: AvailabilityZoneFilter, CapacityFilter, CapabilitiesFilter. ' +
      "What a backend's state, a retry and a source's place forbid is always checked.",
  ),
  scheduler_default_weighers: option.list(
    ['CapacityWeigher'],
    'What decides among the pools that passed: CapacityWeigher, AllocatedCapacityWeigher, VolumeNumberWeigher. ' +
      'Their results are normalised to 0..1, multiplied and added.',
  ),
  scheduler_max_attempts: option.integer(
    3,
    'How many backends are tried for one volume before its creation fails; 1 is no retry.',
    { min: 1 },
  ),
  scheduler_driver_init_wait_time: option.integer(
    60,
    'Seconds after its start for which the scheduler waits for the reports of backends before it refuses a request.',
    { min: 1 },
  ),
  service_down_time: option.integer(60, 'Seconds without a heartbeat after which a service counts as down.', {
    min: 1,
  }),
  capacity_weight_multiplier: option.float(
    1,
    'Weight of the free capacity (for thin pools the virtual one): positive spreads volumes, negative stacks them.',
  ),
  allocated_capacity_weight_multiplier: option.float(
    -1,
    'Weight of the capacity that is allocated: negative spreads volumes, positive stacks them.',
  ),
  volume_number_multiplier: option.float(
    -1,
    'Weight of the number of volumes: negative spreads volumes, positive stacks them.',
  ),
} as const;

export type SchedulerOptions = ValuesOf<typeof schedulerOptions>;
