/** Takes the messages of one address: its topic, its server, and the topic's fan-out. */
import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { failpoint } from '../../lib/failpoint.ts';
import { settledWithin } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, isFailure, messageOf } from '../../model/errors.ts';
import { decodeRequest, type MalformedMessage, type WireRequest } from '../envelope.ts';
import {
  NotTaken,
  type RpcDelivery,
  type RpcHandler,
  type RpcListener,
  type RpcMessage,
  type RpcTarget,
} from '../transport.ts';
import { contextFromWire } from '../wire-context.ts';
import type { Answers, Outcome } from './answers.ts';
import { keepChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import type { AmqpSettings } from './settings.ts';
import { declareFanoutQueue, declareTopicQueue, fanoutExchangeOf, queueOf } from './topology.ts';
import { type Arrival, acknowledge, type Work, type Works } from './works.ts';

export interface ListenerParts {
  readonly connection: AmqpConnection;
  readonly settings: AmqpSettings;
  readonly answers: Answers;
  readonly works: Works;
  readonly log: Logger;
}

interface Task {
  readonly work: Work;
  readonly request: WireRequest;
}

/** A broker that is away longer than this is not waited for: the listener begins when it comes. */
const BEGIN_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 2_000;

/** Resolves once messages are taken. Rejects where the broker refuses the queues. */
export async function openListener(
  parts: ListenerParts,
  address: Required<RpcTarget>,
  handler: RpcHandler,
): Promise<RpcListener> {
  const { settings, works, log } = parts;
  const fanoutQueue = `${fanoutExchangeOf(address.topic)}_${newId()}`;
  const waiting: Task[] = [];
  const running = new Map<Task, Promise<void>>();
  const notTaken: Task[] = [];
  let tags: readonly string[] = [];
  let isClosing = false;

  const kept = keepChannel(parts.connection, {
    name: `listen ${queueOf(address)}`,
    log,
    async setUp(channel) {
      if (isClosing) return;
      // It counts for each of the three consumers; how many of them run at a time is counted here.
      await channel.prefetch(settings.rabbit.rabbit_qos_prefetch_count || settings.concurrency);
      const queues = [queueOf({ topic: address.topic }), queueOf(address)];
      for (const queue of queues) await declareTopicQueue(channel, settings, queue);
      await declareFanoutQueue(channel, settings, { topic: address.topic, queue: fanoutQueue });
      const arrive = arrivalsOf(channel);
      const begun: string[] = [];
      for (const queue of [...queues, fanoutQueue]) {
        const { consumerTag } = await channel.consume(queue, (message) => {
          // Null: the queue was deleted. A new channel makes it again.
          if (message === null) void channel.close().catch(() => undefined);
          else take(arrive(message), queue === fanoutQueue);
        });
        begun.push(consumerTag);
      }
      tags = begun;
    },
  });

  function take(arrival: Arrival, isFanout: boolean): void {
    const decoded = decodeRequest(arrival.message.content);
    if (!decoded.ok) {
      refuse(parts, arrival, decoded.malformed);
      return;
    }
    const request = { ...decoded.value, uniqueId: decoded.value.uniqueId ?? newId() };
    // Every listener gets its own copy of a fan-out, the queues of a topic are shared.
    const work = works.begin(isFanout ? `${fanoutQueue} ${request.uniqueId}` : request.uniqueId, arrival);
    if (work === null) return;
    if (isClosing) {
      works.handBack(work);
      return;
    }
    waiting.push({ work, request });
    next();
  }

  function next(): void {
    while (running.size < settings.concurrency && waiting.length > 0) {
      const task = waiting.shift()!;
      // What waited on a channel that was lost comes again, here or elsewhere.
      if (isClosing || !task.work.arrival.isOpen()) works.handBack(task.work);
      else {
        const work = perform(parts, task, handler).then((isTaken) => {
          if (!isTaken) notTaken.push(task);
          running.delete(task);
          next();
        });
        running.set(task, work);
      }
    }
  }

  async function close({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    isClosing = true;
    const channel = kept.current();
    if (channel !== null) {
      const cancelled = Promise.all(tags.map(async (tag) => channel.cancel(tag)));
      await settledWithin(cancelled, CANCEL_TIMEOUT_MS);
    }
    for (const { work } of waiting.splice(0)) works.handBack(work);
    const ended = Promise.all(running.values());
    await (timeoutMs === undefined ? ended : settledWithin(ended, timeoutMs));
    for (const { work } of [...running.keys(), ...notTaken]) works.handBack(work);
    await kept.close();
  }

  try {
    await Promise.race([kept.channel(BEGIN_TIMEOUT_MS), kept.refused]);
  } catch (error) {
    if (await isRefused(kept.refused)) {
      await close({ timeoutMs: 0 });
      throw error;
    }
    log.warn({ ...address, reason: messageOf(error) }, 'messages are taken once the broker is there');
  }
  return { close };
}

/** Runs the handler and answers; never rejects. False where the handler did not take the message. */
async function perform({ works, answers, log }: ListenerParts, task: Task, handler: RpcHandler): Promise<boolean> {
  const { work, request } = task;
  const { reply, method } = request;
  const id = request.uniqueId!;
  const silence = reply === null ? () => undefined : answers.keepAlive(reply);
  let outcome: Outcome;
  try {
    const { redelivered } = work.arrival.message.fields;
    const ack = () => works.acknowledge(work);
    outcome = { result: await handle(handler, messageFrom(request), { id, redelivered, ack }) };
  } catch (thrown) {
    outcome = { thrown };
  }
  silence();
  if ('thrown' in outcome && outcome.thrown instanceof NotTaken) return false;
  works.end(work);
  if (work.isHandedBack) return true;
  if (reply !== null) void answers.answer(reply, outcome);
  else if ('thrown' in outcome) {
    log.warn({ message: id, method, reason: messageOf(outcome.thrown) }, 'a message failed, and nobody waits for it');
  }
  return true;
}

async function handle(handler: RpcHandler, message: RpcMessage, delivery: RpcDelivery): Promise<unknown> {
  try {
    return await handler(message, delivery);
  } finally {
    failpoint(`rpc.reply.${message.method}`);
  }
}

/** Nothing can be made of it: said to whoever waits for it, and gone. */
function refuse({ answers, log }: ListenerParts, arrival: Arrival, malformed: MalformedMessage): void {
  const { reason, uniqueId, reply } = malformed;
  const { routingKey, exchange } = arrival.message.fields;
  const bytes = arrival.message.content.length;
  log.warn({ message: uniqueId, exchange, routingKey, bytes, reason }, 'a message cannot be read; it is dropped');
  acknowledge(arrival);
  if (reply !== null) void answers.answer(reply, { thrown: failure('MalformedMessage', { reason }) });
}

function messageFrom(request: WireRequest): RpcMessage {
  const { method, version, namespace, args, context, uniqueId, operationId } = request;
  return {
    method,
    version,
    namespace,
    args,
    context: contextFromWire(context, `req-${uniqueId}`),
    ...(operationId === null ? {} : { operationId }),
  };
}

function arrivalsOf(channel: ConfirmChannel): (message: ConsumeMessage) => Arrival {
  let isOpen = true;
  channel.once('close', () => {
    isOpen = false;
  });
  return (message) => ({ channel, message, isOpen: () => isOpen });
}

/** Whether that promise has rejected by now. */
async function isRefused(refused: Promise<never>): Promise<boolean> {
  return await Promise.race([refused, Promise.resolve(false)]).catch((error: unknown) => isFailure(error));
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}
