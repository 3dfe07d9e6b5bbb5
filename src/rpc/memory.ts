import { randomUUID } from 'node:crypto';
import { failpoint } from '../lib/failpoint.ts';
import { sleep, withTimeout } from '../lib/timers.ts';
import { AshlarError, failure, isFailure, messageOf } from '../model/errors.ts';
import { NotTaken, type RpcHandler, type RpcListener, type RpcMessage, type Transport } from './transport.ts';

/** How many casts may wait in one queue before the oldest is dropped: their operations stand in the record anyway. */
const QUEUE_LIMIT = 10_000;

interface Delivery {
  readonly id: string;
  readonly message: RpcMessage;
  readonly answer: (outcome: Promise<unknown>) => void;
  redelivered: boolean;
}

/** Takes a delivery that came through that queue. */
type Taker = (delivery: Delivery, queue: Queue | null) => void;

interface Queue {
  readonly waiting: Delivery[];
  readonly takers: Taker[];
  next: number;
}

/** The transport of a single process: `transport_url = memory:`. */
export function createMemoryTransport(): Transport {
  const queues = new Map<string, Queue>();
  const servers = new Map<string, Set<Taker>>();

  function queueOf(topic: string, server?: string): Queue {
    const name = server === undefined ? topic : `${topic}.${server}`;
    const queue = queues.get(name) ?? { waiting: [], takers: [], next: 0 };
    queues.set(name, queue);
    return queue;
  }

  function send(queue: Queue, delivery: Delivery): void {
    const taker = queue.takers[queue.next++ % Math.max(1, queue.takers.length)];
    if (taker !== undefined) {
      taker(delivery, queue);
      return;
    }
    queue.waiting.push(delivery);
    if (queue.waiting.length > QUEUE_LIMIT) queue.waiting.shift();
  }

  return {
    reach: 'process',
    async call(target, message, { timeoutMs }) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const queue = queueOf(target.topic, target.server);
      const delivery = deliveryOf(message, resolve);
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
      send(queueOf(target.topic, target.server), deliveryOf(message, ignore));
    },
    async fanout(topic, message) {
      for (const take of servers.get(topic) ?? []) take(deliveryOf(message, ignore), null);
    },
    async listen({ topic, server }, handler) {
      const running = new Set<Promise<unknown>>();
      const unacknowledged = new Map<Delivery, Queue>();
      const take: Taker = (delivery, queue) => {
        if (queue !== null) unacknowledged.set(delivery, queue);
        const ack = () => void unacknowledged.delete(delivery);
        const work = deliver(handler, delivery, ack).then((isTaken) => {
          if (isTaken) ack();
          running.delete(work);
        });
        running.add(work);
      };
      const mine = [queueOf(topic), queueOf(topic, server)];
      const all = servers.get(topic) ?? new Set();
      servers.set(topic, all.add(take));
      for (const queue of mine) {
        queue.takers.push(take);
        for (const delivery of queue.waiting.splice(0)) take(delivery, queue);
      }
      return {
        async close({ timeoutMs } = {}) {
          all.delete(take);
          for (const queue of mine) {
            const place = queue.takers.indexOf(take);
            if (place !== -1) queue.takers.splice(place, 1);
          }
          const ended = Promise.all(running);
          await (timeoutMs === undefined ? ended : Promise.race([ended, sleep(timeoutMs)]));
          for (const [delivery, queue] of unacknowledged) send(queue, { ...delivery, redelivered: true });
          unacknowledged.clear();
        },
      } satisfies RpcListener;
    },
    async close() {
      queues.clear();
      servers.clear();
    },
  };
}

/** Resolves when the handler has ended, well or not; false where it did not take the message. */
async function deliver(handler: RpcHandler, delivery: Delivery, ack: () => void): Promise<boolean> {
  // A turn of the loop lies between sender and receiver, as a wire would.
  await new Promise((resolve) => setImmediate(resolve));
  const { id, redelivered, message } = delivery;
  const outcome = (async () => handler(message, { id, redelivered, ack }))().finally(() =>
    failpoint(`rpc.reply.${message.method}`),
  );
  const isTaken = await outcome.then(
    () => true,
    (error: unknown) => !(error instanceof NotTaken),
  );
  if (isTaken) delivery.answer(outcome);
  return isTaken;
}

function deliveryOf(message: RpcMessage, answer: Delivery['answer']): Delivery {
  return { id: randomUUID().replaceAll('-', ''), message: copy(message), answer, redelivered: false };
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
