/** Sends messages and knows which have arrived: every one is confirmed by the broker, or sent again, or rejected in time. */
import type { ConfirmChannel, Message, Options } from 'amqplib';
import { createLimiter } from '../../lib/bounded.ts';
import { settledWithin, sleep, withTimeout } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, isFailure, messageOf } from '../../model/errors.ts';
import { keepChannel, refusalOf } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import type { AmqpSettings } from './settings.ts';
import { declareFanoutExchange, declareTopicExchange, declareTopicQueue, fanoutExchangeOf } from './topology.ts';

export interface Outgoing {
  /** Where to: a queue of the topic exchange, all queues of a topic, or a queue by its name. */
  readonly to: { readonly queue: string } | { readonly fanout: string } | { readonly reply: string };
  readonly content: Buffer;
  /** Equal for every copy. */
  readonly id: string;
  /** By when it has to be with the broker; on performance.now()'s clock. */
  readonly deadlineMs: number;
  /** The broker drops it at the deadline, where nobody has taken it by then. */
  readonly expires?: boolean;
}

export interface Publisher {
  /**
   * `routed` once the broker has it in a queue, `returned` where there is no such queue; a fan-out is always routed.
   * Rejects with ConnectionFailed at the deadline (it may have arrived all the same), ServiceUnavailable at once where
   * too much waits already.
   */
  publish(message: Outgoing): Promise<'routed' | 'returned'>;
  /**
   * Makes the queue of a service that has never been there, so that a message can wait for it. Rejects with
   * ConnectionFailed where the broker refuses it.
   */
  declareQueue(queue: string, timeoutMs: number): Promise<void>;
  /** Waits for what is under way, at most timeoutMs. */
  close(options: { readonly timeoutMs: number }): Promise<void>;
}

/** Sent and not confirmed yet. */
const IN_FLIGHT = 1_000;
/** Sent or waiting for that. */
const MAX_WAITING = 20_000;
/** Before the same message is sent again. */
const PAUSE_MS = 100;

export function createPublisher(connection: AmqpConnection, settings: AmqpSettings, log: Logger): Publisher {
  /** What waits for its confirmation, by id; true once the broker has said that there is no queue for it. */
  const inFlight = new Map<string, boolean>();
  const underWay = new Set<Promise<unknown>>();
  const limit = createLimiter(IN_FLIGHT);
  const main = keepChannel(connection, {
    name: 'publish',
    log,
    async setUp(channel) {
      // Comes before the confirmation of the same message.
      channel.on('return', ({ properties }: Message) => {
        const id = String(properties.messageId);
        if (inFlight.has(id)) inFlight.set(id, true);
      });
      await declareTopicExchange(channel, settings);
    },
  });
  // A fan-out's exchange may vanish at any time, which closes the channel that publishes to it.
  const aside = keepChannel(connection, { name: 'fan-out', log, setUp: async () => undefined });

  /** Sends until the broker confirms. A lost channel leaves open whether it has arrived: it goes again, with its id. */
  async function send(message: Outgoing): Promise<'routed' | 'returned'> {
    const kept = 'fanout' in message.to ? aside : main;
    for (;;) {
      const left = message.deadlineMs - performance.now();
      if (left <= 0) throw late();
      const channel = await kept.channel(left);
      inFlight.set(message.id, false);
      try {
        if ('fanout' in message.to) await declareFanoutExchange(channel, message.to.fanout);
        await confirmed(channel, message, settings);
        return inFlight.get(message.id) === true ? 'returned' : 'routed';
      } catch (error) {
        if (isFailure(error)) throw error;
        log.debug({ message: message.id, reason: messageOf(error) }, 'a message is sent again');
        await sleep(PAUSE_MS);
      } finally {
        inFlight.delete(message.id);
      }
    }
  }

  return {
    async publish(message) {
      if (underWay.size >= MAX_WAITING) {
        throw failure('ServiceUnavailable', { reason: `${MAX_WAITING} messages wait for the broker already.` });
      }
      const sent = limit(() => send(message)).finally(() => underWay.delete(sent));
      underWay.add(sent);
      return await sent;
    },
    async declareQueue(queue, timeoutMs) {
      const channel = await aside.channel(timeoutMs);
      try {
        await withTimeout(declareTopicQueue(channel, settings, queue), timeoutMs, late);
      } catch (error) {
        throw refusalOf(error) ?? error;
      }
    },
    async close({ timeoutMs }) {
      await settledWithin(Promise.allSettled(underWay), timeoutMs);
      await Promise.all([main.close(), aside.close()]);
    },
  };
}

/** Rejects when the channel ends before the broker has confirmed, or the broker cannot take the message now. */
function confirmed(channel: ConfirmChannel, message: Outgoing, settings: AmqpSettings): Promise<void> {
  const { exchange, key, mandatory } = routeOf(message, settings);
  const leftMs = Math.max(1, Math.round(message.deadlineMs - performance.now()));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = {
    ...properties,
    messageId: message.id,
    mandatory,
    ...(message.expires ? { expiration: leftMs } : {}),
  };
  channel.publish(exchange, key, message.content, options, (error: unknown) => {
    if (error === null || error === undefined) resolve();
    else reject(error);
  });
  return withTimeout(promise, leftMs, late);
}

/** As oslo.messaging has them; the message id is ours, by which we know again what is returned. */
const properties: Options.Publish = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  persistent: true,
  priority: 0,
  headers: {},
};

function routeOf({ to }: Outgoing, { controlExchange }: AmqpSettings) {
  if ('queue' in to) return { exchange: controlExchange, key: to.queue, mandatory: true };
  if ('reply' in to) return { exchange: '', key: to.reply, mandatory: true };
  return { exchange: fanoutExchangeOf(to.fanout), key: '', mandatory: false };
}

function late(): Error {
  const reason = 'it has not confirmed the message in time. It may have been delivered all the same';
  return failure('ConnectionFailed', { what: 'The message broker', reason });
}
