import { option, type ValuesOf } from '../config/options.ts';

/** The API's options, [DEFAULT] group. */
export const apiOptions = {
  osapi_volume_listen: option.hostAddress('127.0.0.1', 'Address that the API listens on.'),
  osapi_volume_listen_port: option.port(8776, 'Port that the API listens on.'),
  osapi_volume_workers: option.integer(
    null,
    'Processes of `ashlar api`, which share one listening socket; as many as the machine has processors when not set.',
    { min: 1 },
  ),
  auth_strategy: option.string(
    'token',
    'Who may use the API: token (a random admin token in a file), noauth (only on loopback, for tests).',
    {
      choices: ['token', 'noauth'],
    },
  ),
  osapi_max_limit: option.integer(1000, 'The most items that one list answers with.', { min: 1, mutable: true }),
  osapi_max_request_body_size: option.integer(114688, 'The largest request body, in bytes.', { min: 1024 }),
  default_volume_type: option.string('__DEFAULT__', 'The type of a volume for which none is asked.', { mutable: true }),
  default_availability_zone: option.string(
    null,
    'The zone of a volume for which none is asked; storage_availability_zone when not set.',
    { mutable: true },
  ),
  storage_availability_zone: option.string('nova', 'The availability zone of this node.'),
  allow_availability_zone_fallback: option.boolean(
    false,
    'Use the default zone where the one asked for does not exist, instead of refusing.',
    { mutable: true },
  ),
  quota_volumes: option.integer(10, 'Volumes a project may have; -1 is unlimited.', { min: -1, mutable: true }),
  quota_snapshots: option.integer(10, 'Snapshots a project may have; -1 is unlimited.', { min: -1, mutable: true }),
  quota_gigabytes: option.integer(1000, 'GiB of volumes and snapshots a project may have; -1 is unlimited.', {
    min: -1,
    mutable: true,
  }),
  per_volume_size_limit: option.integer(-1, 'The largest volume, in GiB; -1 is unlimited.', { min: -1, mutable: true }),
  no_snapshot_gb_quota: option.boolean(false, 'Leave snapshots out of the gigabytes quota.'),
  service_down_time: option.integer(60, 'Seconds without a heartbeat after which a service counts as down.', {
    min: 1,
  }),
  rpc_response_timeout: option.integer(60, 'Seconds to wait for the answer of another service.', { min: 1 }),
  volume_name_template: option.string('volume-%s', "The name of a volume on its backend; %s is the volume's id."),
} as const;

export type ApiOptions = ValuesOf<typeof apiOptions>;
