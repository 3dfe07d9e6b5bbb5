/** Looks at what goes by, by a queue of its own that takes copies: nobody's message is taken away. */
import { withTimeout } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure } from '../../model/errors.ts';
import { decodeRequest, type MalformedMessage, type WireRequest } from '../envelope.ts';
import { keepConnection } from './connection.ts';
import type { AmqpSettings } from './settings.ts';
import { declareFanoutExchange, declareTopicExchange, fanoutExchangeOf } from './topology.ts';

/** One message as it went by. `key` is its routing key: the topic, or topic and server; null for a fan-out. */
export type Passing = { readonly exchange: string; readonly key: string | null } & (
  | { readonly kind: 'request'; readonly request: WireRequest }
  | { readonly kind: 'unreadable'; readonly malformed: MalformedMessage }
);

export interface Watch {
  /** Resolves when the broker is gone; the queue is gone with it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

const OPEN_TIMEOUT_MS = 10_000;
/** Copies that wait for a slow reader; the oldest beyond are dropped by the broker. */
const QUEUE_LENGTH = 10_000;

/** @param topic its requests and fan-outs; null for every request of the exchange. Throws ConnectionFailed. */
export async function watchMessages(
  settings: AmqpSettings,
  log: Logger,
  { topic, onMessage }: { readonly topic: string | null; readonly onMessage: (message: Passing) => void },
): Promise<Watch> {
  const connection = keepConnection(settings, `ashlar:${process.pid}:watch`, log);
  const late = () => {
    const reason = connection.lastError()?.message ?? 'it does not answer';
    return failure('ConnectionFailed', { what: 'The message broker', reason });
  };
  try {
    const model = await withTimeout(connection.model(), OPEN_TIMEOUT_MS, late);
    const channel = await model.createChannel();
    const ended = new Promise<void>((resolve) => {
      channel.on('error', () => undefined);
      channel.on('close', () => resolve());
    });
    await declareTopicExchange(channel, settings);
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, maxLength: QUEUE_LENGTH });
    await channel.bindQueue(queue, settings.controlExchange, topic === null ? '#' : `${topic}.#`);
    if (topic !== null) {
      await declareFanoutExchange(channel, topic);
      await channel.bindQueue(queue, fanoutExchangeOf(topic), '');
    }
    await channel.consume(
      queue,
      (delivery) => {
        if (delivery === null) return;
        const { exchange, routingKey } = delivery.fields;
        const way = { exchange, key: exchange === settings.controlExchange ? routingKey : null };
        const decoded = decodeRequest(delivery.content);
        onMessage(
          decoded.ok
            ? { ...way, kind: 'request', request: decoded.value }
            : { ...way, kind: 'unreadable', malformed: decoded.malformed },
        );
      },
      { noAck: true, exclusive: true },
    );
    return { ended, close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
