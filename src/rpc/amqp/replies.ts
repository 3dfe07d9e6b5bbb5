/** The caller's side of calls: the queue in which their answers arrive, and who waits for which. */
import { randomUUID } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import type { Logger } from '../../log/logger.ts';
import { decodeReply } from '../envelope.ts';
import { decodeFailure } from '../wire-failure.ts';
import { keepChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import type { AmqpSettings } from './settings.ts';
import { declareReplyQueue } from './topology.ts';

export interface AwaitedReply {
  /** The result, or the failure that the other side threw. Never ends by itself without an answer. */
  readonly answer: Promise<unknown>;
  forget(): void;
}

export interface Replies {
  readonly queue: string;
  /** Waits until answers can arrive; rejects with ConnectionFailed after timeoutMs. */
  ready(timeoutMs: number): Promise<void>;
  /** @param onSignOfLife runs when the other side says that it is still at it. */
  expect(messageId: string, onSignOfLife: () => void): AwaitedReply;
  close(): Promise<void>;
}

interface Waiter {
  readonly settle: PromiseWithResolvers<unknown>;
  readonly onSignOfLife: () => void;
}

export function openReplies(connection: AmqpConnection, settings: AmqpSettings, log: Logger): Replies {
  const queue = `reply_${randomUUID().replaceAll('-', '')}`;
  const waiters = new Map<string, Waiter>();
  const kept = keepChannel(connection, {
    name: 'replies',
    log,
    async setUp(channel) {
      await declareReplyQueue(channel, settings, queue);
      await channel.consume(queue, (message) => {
        // Null: the queue was deleted. A new channel makes it again.
        if (message === null) return void channel.close().catch(() => undefined);
        channel.ack(message);
        receive(message);
      });
    },
  });

  function receive({ content }: ConsumeMessage): void {
    const decoded = decodeReply(content);
    const messageId = decoded.ok ? decoded.value.messageId : decoded.malformed.reply?.messageId;
    const waiter = messageId === undefined ? undefined : waiters.get(messageId);
    if (!decoded.ok) log.warn({ message: messageId, reason: decoded.malformed.reason }, 'a reply cannot be read');
    if (!decoded.ok || waiter === undefined) return;
    const { ending, failure, result } = decoded.value;
    if (failure !== null) waiter.settle.reject(decodeFailure(failure));
    else if (ending) waiter.settle.resolve(result);
    else waiter.onSignOfLife();
  }

  return {
    queue,
    ready: async (timeoutMs) => void (await kept.channel(timeoutMs)),
    expect(messageId, onSignOfLife) {
      const settle = Promise.withResolvers<unknown>();
      settle.promise.catch(() => undefined);
      waiters.set(messageId, { settle, onSignOfLife });
      return { answer: settle.promise, forget: () => void waiters.delete(messageId) };
    },
    close: () => kept.close(),
  };
}
