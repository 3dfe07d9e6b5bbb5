import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import { unknownInQuery, withQuery } from './amqp/settings.ts';
import { openAmqpTransport } from './amqp/transport.ts';
import { type Watch, watchMessages } from './amqp/watch.ts';
import { createMemoryTransport } from './memory.ts';
import type { RabbitOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { parseTransportUrl } from './transport-url.ts';

export interface TransportOptions {
  /** The topic exchange of the cloud, `control_exchange`. */
  readonly controlExchange: string;
  /** How many messages one listener works on at a time, `executor_thread_pool_size`. */
  readonly concurrency: number;
  /** [oslo_messaging_rabbit]; the URL's query may set each for itself. */
  readonly rabbit: RabbitOptions;
}

/** Opens what `transport_url` names. Throws InvalidConfigurationValue. */
export async function openTransport({
  url,
  options,
  log,
}: {
  readonly url: string;
  readonly options: TransportOptions;
  readonly log: Logger;
}): Promise<Transport> {
  const where = parseTransportUrl(url);
  if (where.kind === 'memory') return createMemoryTransport();
  const { hosts: brokers, vhost, query } = where;
  for (const option of unknownInQuery(query))
    log.warn({ option }, 'transport_url sets an option that is not known here');
  return await openAmqpTransport({ ...options, brokers, vhost, rabbit: withQuery(options.rabbit, query) }, log);
}

/** Looks at what goes by on the broker that `transport_url` names. InvalidConfigurationValue for memory:, ConnectionFailed. */
export async function watchTransport(
  { url, options, log }: Parameters<typeof openTransport>[0],
  watcher: Parameters<typeof watchMessages>[2],
): Promise<Watch> {
  const where = parseTransportUrl(url);
  if (where.kind === 'memory') {
    const reason = 'memory: stays within one process, nobody else can look at it';
    throw failure('InvalidConfigurationValue', { option: 'transport_url', group: 'DEFAULT', reason });
  }
  const { hosts: brokers, vhost, query } = where;
  for (const option of unknownInQuery(query))
    log.warn({ option }, 'transport_url sets an option that is not known here');
  return await watchMessages({ ...options, brokers, vhost, rabbit: withQuery(options.rabbit, query) }, log, watcher);
}
