import type { Config } from '../config/config.ts';
import type { Logger } from '../log/logger.ts';
import { openNotifier } from '../rpc/create-notifier.ts';
import { openTransport } from '../rpc/create-transport.ts';
import { observeTransport } from '../rpc/observed.ts';
import { notificationOptions, rabbitOptions, rpcOptions } from '../rpc/options.ts';
import type { Transport } from '../rpc/transport.ts';
import { sendAnnouncements } from '../service/announce.ts';
import { serviceOptions } from '../service/options.ts';
import { volumeServiceOptions } from '../volume/options.ts';

/** What is announced until then is sent, or dropped. */
const NOTIFIER_CLOSE_MS = 2_000;

/**
 * Opens the transport that `transport_url` names, and beside it what notifications ask for, which ends with it. Throws
 * InvalidConfigurationValue.
 */
export async function openConfiguredTransport(config: Config, log: Logger): Promise<Transport> {
  const settings = transportSettings(config, log);
  const notifications = config.section('oslo_messaging_notifications', notificationOptions);
  const notifier = openNotifier({ ...settings, notifications });
  const transport = observeTransport(await openTransport(settings));
  if (notifier === null) return transport;
  const forget = sendAnnouncements(notifier, config.section('DEFAULT', serviceOptions).host);
  return {
    ...transport,
    async close() {
      forget();
      await notifier.close({ timeoutMs: NOTIFIER_CLOSE_MS });
      await transport.close();
    },
  };
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
