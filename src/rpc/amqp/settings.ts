/** What the connection needs to know, from the URL and the options together. */

import { convertValue } from '../../config/values.ts';
import { failure } from '../../model/errors.ts';
import { type RabbitOptions, rabbitOptions } from '../options.ts';
import type { BrokerHost, TransportUrl } from '../transport-url.ts';

export type RabbitUrl = Extract<TransportUrl, { kind: 'rabbit' }>;

export interface AmqpSettings {
  readonly brokers: readonly BrokerHost[];
  readonly vhost: string;
  readonly controlExchange: string;
  /** How many messages one listener works on at a time. */
  readonly concurrency: number;
  readonly rabbit: RabbitOptions;
}

/** What the query sets that is no option here: a peer's own. */
export function unknownInQuery(query: RabbitUrl['query']): readonly string[] {
  return Object.keys(query).filter((name) => !Object.hasOwn(rabbitOptions, name));
}

/** The options with those that the URL's query sets for itself. Pure. Throws InvalidConfigurationValue. */
export function withQuery(options: RabbitOptions, query: RabbitUrl['query']): RabbitOptions {
  const own: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(query)) {
    if (!Object.hasOwn(rabbitOptions, name)) continue;
    const converted = convertValue(rabbitOptions[name as keyof RabbitOptions], [text]);
    if (!converted.ok) throw invalid(`sets ${name}: ${converted.reason}`);
    own[name] = converted.value;
  }
  return { ...options, ...own };
}

/**
 * Seconds between two heartbeats, so that a connection without a sign of life is given up within the threshold: the
 * library does so after two to three of them. 0 is none.
 */
export function heartbeatSeconds(thresholdSeconds: number): number {
  return thresholdSeconds === 0 ? 0 : Math.max(1, Math.floor(thresholdSeconds / 3));
}

function invalid(reason: string): Error {
  return failure('InvalidConfigurationValue', { group: 'DEFAULT', option: 'transport_url', reason });
}
