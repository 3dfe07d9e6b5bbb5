import { option } from '../config/options.ts';

/** Options of every service, [DEFAULT] group. */
export const serviceOptions = {
  host: option.string('', "The name of this node in the database and on the wire; the machine's name when not set.", {
    sampleDefault: '<host name>',
  }),
  my_ip: option.hostAddress('127.0.0.1', 'The address of this node.'),
  state_path: option.string('/var/lib/ashlar', 'The directory in which Ashlar keeps its state.'),
  storage_availability_zone: option.string('nova', 'The availability zone of this node.'),
  report_interval: option.integer(10, 'Seconds between two heartbeats.', { min: 1 }),
  service_down_time: option.integer(60, 'Seconds without a heartbeat after which a service counts as down.', {
    min: 1,
  }),
  periodic_interval: option.integer(60, 'Seconds between two runs of the periodic tasks.', { min: 1 }),
  enable_new_services: option.boolean(true, 'New services take work at once; otherwise an operator enables them.'),
  graceful_shutdown_timeout: option.integer(60, 'Seconds that work under way gets to end at a stop.', { min: 0 }),
  rpc_response_timeout: option.integer(60, 'Seconds to wait for the answer of another service.', { min: 1 }),
  transport_url: option.string('memory:', 'How services reach each other. memory: is for a single process.', {
    secret: true,
  }),
} as const;
