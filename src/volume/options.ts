import { option } from '../config/options.ts';

/** Options of every volume service, [DEFAULT] group. */
export const volumeServiceOptions = {
  enabled_backends: option.list([], 'The groups of this file that describe a backend; one volume service each.'),
  volume_name_template: option.string('volume-%s', "The name of a volume on its backend; %s is the volume's id."),
  snapshot_name_template: option.string(
    'snapshot-%s',
    "The name of a snapshot on its backend; %s is the snapshot's id.",
  ),
  backend_stats_polling_interval: option.integer(60, 'Seconds between two reports of what a backend has left.', {
    min: 3,
    mutable: true,
  }),
  executor_thread_pool_size: option.integer(64, 'Operations that one volume service works on at the same time.', {
    min: 1,
    deprecatedNames: ['rpc_thread_pool_size'],
  }),
  operation_max_attempts: option.integer(
    5,
    'How often an operation is started, counting those that a crash cut off, before it ends in an error.',
    { min: 1 },
  ),
  reinit_driver_max_interval: option.integer(
    60,
    'The longest pause, in seconds, between two attempts to start a driver that fails to start.',
    { min: 1 },
  ),
} as const;

/** Options of one backend, in its own group or in [backend_defaults]. */
export const backendOptions = {
  volume_driver: option.string(
    'cinder.volume.drivers.lvm.LVMVolumeDriver',
    'The driver: lvm, file, fake, or the class path by which Cinder knows it.',
  ),
  volume_backend_name: option.string(null, "The name that volume types ask for; the group's name when not set."),
  target_helper: option.string('tgtadm', 'What exports the volumes: tgtadm (tgt) or fake.'),
  reserved_percentage: option.integer(0, 'Per cent of the capacity that is never given to new volumes.', {
    min: 0,
    max: 100,
    mutable: true,
  }),
  max_over_subscription_ratio: option.string(
    '20.0',
    'How many times its real size a thin pool may promise: a number of 1.0 or more, or auto.',
    { mutable: true },
  ),
  backend_availability_zone: option.string(
    null,
    'The availability zone of this backend; storage_availability_zone when not set.',
  ),
} as const;
