import { failpoint } from '../lib/failpoint.ts';
import { withTimeout } from '../lib/timers.ts';
import { AshlarError, failure, isFailure, messageOf } from '../model/errors.ts';
import type { RpcHandler, RpcListener, RpcMessage, Transport } from './transport.ts';

/** How many casts may wait in one queue before the oldest is dropped: their operations stand in the record anyway. */
const QUEUE_LIMIT = 10_000;

interface Delivery {
  readonly message: RpcMessage;
  readonly answer: (outcome: Promise<unknown>) => void;
}

interface Queue {
  readonly waiting: Delivery[];
  readonly handlers: RpcHandler[];
  next: number;
}

/** The transport of a single process: `transport_url = memory:`. */
export function createMemoryTransport(): Transport {
  const queues = new Map<string, Queue>();
  const servers = new Map<string, Set<RpcHandler>>();

  function queueOf(topic: string, server?: string): Queue {
    const name = server === undefined ? topic : `${topic}.${server}`;
    const queue = queues.get(name) ?? { waiting: [], handlers: [], next: 0 };
    queues.set(name, queue);
    return queue;
  }

  function send(queue: Queue, delivery: Delivery): void {
    const handler = queue.handlers[queue.next++ % Math.max(1, queue.handlers.length)];
    if (handler !== undefined) {
      deliver(handler, delivery);
      return;
    }
    queue.waiting.push(delivery);
    if (queue.waiting.length > QUEUE_LIMIT) queue.waiting.shift();
  }

  return {
    async call(target, message, { timeoutMs }) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const queue = queueOf(target.topic, target.server);
      const delivery = { message: copy(message), answer: resolve };
      send(queue, delivery);
      try {
        return copy(
          await withTimeout(promise, timeoutMs, () => timeoutOf(message, target.server ?? target.topic, timeoutMs)),
        );
      } catch (error) {
        const place = queue.waiting.indexOf(delivery);
        if (place !== -1) queue.waiting.splice(place, 1);
        throw asFailure(error);
      }
    },
    async cast(target, message) {
      send(queueOf(target.topic, target.server), { message: copy(message), answer: ignore });
    },
    async fanout(topic, message) {
      for (const handler of servers.get(topic) ?? []) deliver(handler, { message: copy(message), answer: ignore });
    },
    async listen({ topic, server }, handler) {
      const running = new Set<Promise<unknown>>();
      const tracked: RpcHandler = (message) => {
        const work = handler(message);
        running.add(work);
        work.then(
          () => running.delete(work),
          () => running.delete(work),
        );
        return work;
      };
      const mine = [queueOf(topic), queueOf(topic, server)];
      const all = servers.get(topic) ?? new Set();
      servers.set(topic, all.add(tracked));
      for (const queue of mine) {
        queue.handlers.push(tracked);
        for (const delivery of queue.waiting.splice(0)) deliver(tracked, delivery);
      }
      return {
        async close() {
          all.delete(tracked);
          for (const queue of mine) {
            const place = queue.handlers.indexOf(tracked);
            if (place !== -1) queue.handlers.splice(place, 1);
          }
          await Promise.allSettled(running);
        },
      } satisfies RpcListener;
    },
    async close() {
      queues.clear();
      servers.clear();
    },
  };
}

function deliver(handler: RpcHandler, delivery: Delivery): void {
  // A turn of the loop lies between sender and receiver, as a wire would.
  setImmediate(() => {
    const outcome = handler(delivery.message).finally(() => failpoint(`rpc.reply.${delivery.message.method}`));
    delivery.answer(outcome);
  });
}

function ignore(outcome: Promise<unknown>): void {
  outcome.catch(() => undefined);
}

function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function timeoutOf(message: RpcMessage, topic: string, timeoutMs: number): Error {
  return failure('RpcTimeout', { method: message.method, topic, seconds: timeoutMs / 1000 });
}

function asFailure(error: unknown): AshlarError {
  if (isFailure(error)) return new AshlarError(error.code, error.params, error);
  return failure('Internal', { reason: messageOf(error) }, error);
}
