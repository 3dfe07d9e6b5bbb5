import { option, type ValuesOf } from '../config/options.ts';

/** Options of every message, [DEFAULT] group. */
export const rpcOptions = {
  control_exchange: option.string('openstack', 'The exchange that all services of one cloud share.'),
} as const;

/** Options of the connection to RabbitMQ, [oslo_messaging_rabbit] group. The URL's query may set each of them too. */
export const rabbitOptions = {
  amqp_durable_queues: option.boolean(false, 'Queues and the exchange survive a restart of the broker.'),
  amqp_auto_delete: option.boolean(false, 'Queues and the exchange vanish with their last user.'),
  rabbit_quorum_queue: option.boolean(
    false,
    'Queues of services are replicated quorum queues, and durable. Every service of a cloud needs the same setting.',
  ),
  rabbit_quorum_delivery_limit: option.integer(0, 'How often a quorum queue delivers one message; 0 is no limit.', {
    min: 0,
  }),
  rabbit_quroum_max_memory_length: option.integer(
    0,
    'How many messages of a quorum queue the broker holds in memory; 0 is no limit.',
    { min: 0 },
  ),
  rabbit_quroum_max_memory_bytes: option.integer(
    0,
    'How many bytes of messages of a quorum queue the broker holds in memory; 0 is no limit.',
    { min: 0 },
  ),
  rabbit_ha_queues: option.boolean(
    false,
    'Declare queues as mirrored (x-ha-policy: all), for services that do. Not together with rabbit_quorum_queue.',
  ),
  rabbit_transient_queues_ttl: option.integer(
    1800,
    'Seconds after which the broker removes a queue of replies or of a fan-out that nobody uses.',
    { min: 1 },
  ),
  rabbit_qos_prefetch_count: option.integer(
    0,
    'How many messages the broker sends ahead to one consumer; 0 is as many as executor_thread_pool_size.',
    { min: 0 },
  ),
  heartbeat_timeout_threshold: option.integer(
    60,
    'Seconds without a sign of life (3 or more) after which a connection counts as lost; 0 turns that off.',
    { min: 0 },
  ),
  kombu_missing_consumer_retry_timeout: option.integer(
    60,
    'Seconds during which an answer is sent again while the queue of the caller is missing.',
    { min: 1, deprecatedNames: ['kombu_reconnect_timeout'] },
  ),
  rabbit_interval_max: option.integer(30, 'The most seconds between two attempts to reach a broker.', { min: 1 }),
  ssl: option.boolean(false, 'Speak TLS with the broker.', { deprecatedNames: ['rabbit_use_ssl'] }),
  ssl_ca_file: option.string(null, 'Certificates to trust. Without it, those of the system.'),
  ssl_cert_file: option.string(null, 'Our own certificate, where the broker asks for one.'),
  ssl_key_file: option.string(null, 'The key of that certificate.'),
} as const;

export type RabbitOptions = ValuesOf<typeof rabbitOptions>;

/** Options of notifications, [oslo_messaging_notifications] group. */
export const notificationOptions = {
  driver: option.multi(
    [],
    'Where notifications go: messagingv2 (the broker), messaging (the same in the older format 1.0), log, noop. Nowhere by default.',
    { deprecatedNames: ['DEFAULT/notification_driver'] },
  ),
  topics: option.list(['notifications'], 'Each of them is a queue per priority: <topic>.info, <topic>.error.', {
    deprecatedNames: ['rpc_notifier2/topics', 'DEFAULT/notification_topics'],
  }),
  transport_url: option.string(null, 'The broker for notifications, where it is not that of all other messages.', {
    secret: true,
  }),
  retry: option.integer(
    -1,
    'How often one is sent again where the broker does not take it; -1 is as often as it takes.',
    {
      min: -1,
    },
  ),
} as const;

export type NotificationOptions = ValuesOf<typeof notificationOptions>;
