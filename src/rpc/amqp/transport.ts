/** The transport on RabbitMQ, as oslo.messaging speaks on it: `transport_url = rabbit://…`. */
import { randomUUID } from 'node:crypto';
import { sleep, withTimeout } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, isFailure } from '../../model/errors.ts';
import { encodeRequest, type ReplyAddress } from '../envelope.ts';
import type { RpcListener, RpcMessage, RpcTarget, Transport } from '../transport.ts';
import { contextToWire } from '../wire-context.ts';
import { createAnswers } from './answers.ts';
import { keepConnection, placeOf } from './connection.ts';
import { openListener } from './listener.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { openReplies, type Replies } from './replies.ts';
import type { AmqpSettings } from './settings.ts';
import { queueOf } from './topology.ts';
import { createWorks } from './works.ts';

/** A broker that is away longer than this when a process starts is not waited for. */
const OPEN_TIMEOUT_MS = 2_000;
/** How long a cast waits for a broker that is away. */
const CAST_TIMEOUT_MS = 30_000;
/** Between two attempts to reach a queue that is not there. */
const RETRY_MS = 250;
/** What is still to be sent gets so long when the transport closes. */
const DRAIN_TIMEOUT_MS = 5_000;

/** Resolves when the broker was reached, or after some seconds without it: then it is used as soon as it is there. */
export async function openAmqpTransport(settings: AmqpSettings, log: Logger): Promise<Transport> {
  const name = `ashlar:${process.pid}`;
  // Two, so that a broker that takes no messages for a while still hands them out.
  const consuming = keepConnection(settings, `${name}:consume`, log);
  const publishing = keepConnection(settings, `${name}:publish`, log);
  const publisher = createPublisher(publishing, settings, log);
  const replies = openReplies(consuming, settings, log);
  const retryMs = settings.rabbit.kombu_missing_consumer_retry_timeout * 1000;
  const answers = createAnswers(publisher, { retryMs, log });
  const parts = { connection: consuming, settings, answers, works: createWorks(), log };
  const listeners = new Set<RpcListener>();

  const ready = replies.ready(OPEN_TIMEOUT_MS).catch(() => {
    const brokers = settings.brokers.map(placeOf);
    log.warn({ brokers }, 'the broker is not there yet; it is used as soon as it is');
  });
  await ready;
  return {
    reach: 'network',
    call: (target, message, options) => call({ publisher, replies }, target, message, options),
    cast: (target, message) => cast(publisher, target, message),
    async fanout(topic, message) {
      await publisher.publish({ to: { fanout: topic }, ...encoded(message), deadlineMs: inMs(CAST_TIMEOUT_MS) });
    },
    async listen(address, handler) {
      const listener = await openListener(parts, address, handler);
      listeners.add(listener);
      return {
        async close(options) {
          listeners.delete(listener);
          await listener.close(options);
        },
      };
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close({ timeoutMs: 0 })));
      answers.close();
      await publisher.close({ timeoutMs: DRAIN_TIMEOUT_MS });
      await replies.close();
      await Promise.all([consuming.close(), publishing.close()]);
    },
  };
}

async function call(
  { publisher, replies }: { readonly publisher: Publisher; readonly replies: Replies },
  target: RpcTarget,
  message: RpcMessage,
  { timeoutMs, monitorMs }: { readonly timeoutMs: number; readonly monitorMs?: number },
): Promise<unknown> {
  const deadlineMs = inMs(timeoutMs);
  const over = new AbortController();
  const late = (cause?: unknown) => timeoutOf(target, message, timeoutMs, cause);
  const monitor = createMonitor(monitorMs, () => late());
  const messageId = newId();
  const monitorSeconds = monitorMs === undefined ? null : Math.max(1, Math.round(monitorMs / 1000));
  const outgoing = encoded(message, { messageId, queue: replies.queue, monitorSeconds });
  const { answer, forget } = replies.expect(messageId, monitor.restart);
  // A queue that is not there: its service starts, or the broker has just lost it.
  const send = async () => {
    await replies.ready(timeoutMs);
    const to = { queue: queueOf(target) };
    while (!over.signal.aborted) {
      if ((await publisher.publish({ to, ...outgoing, deadlineMs, expires: true })) === 'routed') return;
      await sleep(RETRY_MS, over.signal);
    }
  };
  try {
    monitor.restart();
    const answered = Promise.race([answer, send().then(() => answer), monitor.silent]);
    return await withTimeout(answered, timeoutMs, late);
  } catch (error) {
    // Whatever kept the message back: the caller has waited in vain.
    throw performance.now() >= deadlineMs && isFailure(error, 'ConnectionFailed') ? late(error) : error;
  } finally {
    over.abort();
    monitor.stop();
    forget();
  }
}

/** Confirmed by the broker, in a queue; one that is not there is made, so that the message waits for its service. */
async function cast(publisher: Publisher, target: RpcTarget, message: RpcMessage): Promise<void> {
  const deadlineMs = inMs(CAST_TIMEOUT_MS);
  const queue = queueOf(target);
  const outgoing = encoded(message);
  while ((await publisher.publish({ to: { queue }, ...outgoing, deadlineMs })) === 'returned') {
    try {
      await publisher.declareQueue(queue, Math.max(1, deadlineMs - performance.now()));
    } catch (error) {
      if (isFailure(error)) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** Ends a call early whose other side has fallen silent. */
function createMonitor(monitorMs: number | undefined, late: () => Error) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  return {
    silent: promise,
    restart() {
      clearTimeout(timer);
      if (monitorMs !== undefined) timer = setTimeout(() => reject(late()), monitorMs);
    },
    stop: () => clearTimeout(timer),
  };
}

function encoded(message: RpcMessage, reply: ReplyAddress | null = null): { content: Buffer; id: string } {
  const { method, version, namespace = null, args, operationId = null } = message;
  const id = newId();
  const context = contextToWire(message.context, new Date());
  return {
    id,
    content: encodeRequest({ method, version, namespace, args, uniqueId: id, operationId, reply, context }),
  };
}

function timeoutOf(target: RpcTarget, { method }: RpcMessage, timeoutMs: number, cause?: unknown): Error {
  const topic = target.server ?? target.topic;
  return failure('RpcTimeout', { method, topic, seconds: timeoutMs / 1000 }, cause);
}

function inMs(ms: number): number {
  return performance.now() + ms;
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}
