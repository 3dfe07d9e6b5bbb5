import type { Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { openTransport } from '../rpc/create-transport.ts';
import { observeTransport } from '../rpc/observed.ts';
import { rabbitOptions, rpcOptions } from '../rpc/options.ts';
import type { Transport } from '../rpc/transport.ts';
import { serviceOptions } from '../service/options.ts';
import { volumeServiceOptions } from '../volume/options.ts';

/** Opens the transport that `transport_url` names. Throws InvalidConfigurationValue. */
export async function openConfiguredTransport(config: Config, log: Logger): Promise<Transport> {
  return observeTransport(await openTransport(transportSettings(config, log)));
}

/** What the configuration says of messages. */
export function transportSettings(config: Config, log: Logger) {
  return {
    url: config.section('DEFAULT', serviceOptions).transport_url,
    options: {
      controlExchange: config.section('DEFAULT', rpcOptions).control_exchange,
      concurrency: config.section('DEFAULT', volumeServiceOptions).executor_thread_pool_size,
      rabbit: config.section('oslo_messaging_rabbit', rabbitOptions),
    },
    log: log.child({ part: 'rpc' }),
  };
}
