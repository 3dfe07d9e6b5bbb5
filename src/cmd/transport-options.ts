import type { Config } from '../config/config.ts';
import { notificationOptions, rabbitOptions, rpcOptions } from '../rpc/options.ts';

/** Declares the options of messages, so that config.finish() names every fault of theirs. */
export function declareTransport(config: Config): void {
  config.section('DEFAULT', rpcOptions);
  config.section('oslo_messaging_rabbit', rabbitOptions);
  config.section('oslo_messaging_notifications', notificationOptions);
}
