/** Transports on a RabbitMQ, with the options' defaults. */
import type { Logger } from '../../src/log/logger.ts';
import { openTransport } from '../../src/rpc/create-transport.ts';
import { type RabbitOptions, rabbitOptions } from '../../src/rpc/options.ts';
import type { Transport } from '../../src/rpc/transport.ts';
import { recorderLog } from './recorder-log.ts';

export interface TestTransport {
  readonly rabbit?: Partial<RabbitOptions>;
  readonly controlExchange?: string;
  readonly concurrency?: number;
  readonly log?: Logger;
}

export function openTestTransport(url: string, given: TestTransport = {}): Promise<Transport> {
  const { rabbit, controlExchange = 'openstack', concurrency = 64, log = recorderLog() } = given;
  return openTransport({
    url,
    options: { controlExchange, concurrency, rabbit: { ...rabbitDefaults(), ...rabbit } },
    log,
  });
}

export function rabbitDefaults(): RabbitOptions {
  const defaults = Object.entries(rabbitOptions).map(([name, option]) => [name, option.default]);
  return Object.fromEntries(defaults) as RabbitOptions;
}
