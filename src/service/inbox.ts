/**
 * What a service does with a message: it becomes an operation's record, or is answered directly, or refused; whatever
 * arrives has an answer.
 *
 *   it names a record of ours ────────────────────────────────┐
 *   its arguments ─> receive ─> refused, malformed ─> failure │
 *                      │  └───> direct ─> answer              │
 *                      └─> find, take over or write a record ─┴─> perform: claim ─> ack ─> work ─> answer
 *
 * Until the claim the message is not acknowledged: what stops or dies before leaves it to whoever comes next. A message
 * that comes again finds its record by an id derived from its own, and does nothing twice.
 */
import { randomUUID } from 'node:crypto';
import { isDatabaseAway } from '../db/errors.ts';
import type { Store } from '../db/store.ts';
import { backoffMs } from '../lib/backoff.ts';
import { failpoint } from '../lib/failpoint.ts';
import { nameUuid } from '../lib/name-uuid.ts';
import { settledWithin, sleep } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import { type RequestContext, recordedContext } from '../model/context.ts';
import { failure, messageOf } from '../model/errors.ts';
import type { NewOperation, Operation } from '../model/operation.ts';
import { userMessageOf } from '../model/user-message.ts';
import { NotTaken, type RpcDelivery, type RpcHandler, type RpcMessage } from '../rpc/transport.ts';
import type { Aftermath } from '../rpcapi/wire/aftermath.ts';
import { findMethod, type Received, receive, type WireRequest, type WireTopic } from '../rpcapi/wire/receive.ts';
import { argumentsTakenOver, decideRecord, isGuarded } from './inbox-decision.ts';

export interface InboxParts {
  readonly topic: WireTopic;
  /** Who acts on what comes in here: `host@backend`, or the scheduler's topic. */
  readonly owner: string;
  readonly store: Store;
  readonly log: Logger;
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  /** What is answered without a record, by method; the arguments are checked. */
  readonly direct: Readonly<
    Record<string, (args: Readonly<Record<string, unknown>>, context: RequestContext) => Promise<unknown>>
  >;
  /** Resolves when the service's start has gone one way or the other: whoever asks in the moments before waits for that. */
  startSettled?(): Promise<void>;
  /** Why nothing can be begun now: who waits for an answer gets this; what nobody waits for is recorded. */
  whyNotReady?(): Error | null;
  /** Told of a record that waits without its message: it came before anything could be begun, and nobody waits for it. */
  onParked?(operationId: string): void;
  /** The request with what stands in the rows alone. Throws where the rows do not fit it. */
  complete(store: Store, request: WireRequest): Promise<WireRequest>;
  /** The volume that has to stand on the owner for a request; where given, such a request is recorded in one statement. */
  volumeOf?(request: WireRequest): string;
  /** Performs a record of this owner (`read`, where it was just read); `onClaimed` is called when the claim is durable. */
  perform(operationId: string, onClaimed: () => void, read?: Operation): Promise<unknown>;
  /** Passes a record on to its owner, another service. */
  forward(operation: Operation, context: RequestContext): Promise<void>;
}

/** How long somebody who waits for an answer waits for the start, and for the database; others as long as it takes. */
const CALL_PATIENCE_MS = 10_000;
const PAUSE = { baseMs: 100, maxMs: 3000 };
/** Records of a resource that are looked at. */
const HISTORY = 50;
/** How often the record is looked for anew where it changed hands meanwhile. */
const LOOKS = 3;

export function createInbox(parts: InboxParts): RpcHandler {
  return async (message, delivery) => {
    const isCall = findMethod(parts.topic, message.method)?.kind === 'call';
    const letter: Letter = { message, delivery, isCall };
    if (isCall) await untilStartSettled(parts);
    const known = await knownRecord(parts, letter);
    if (known !== null) return await performRecord(parts, letter, known);
    if (message.namespace != null && message.namespace !== '') {
      throw failure('NoSuchMethod', { method: `${message.namespace}.${message.method}` });
    }
    const received = receive(parts.topic, message, randomUUID);
    if (received.kind === 'operation') return await takeOperation(parts, letter, received);
    if (received.kind === 'refused') return await refuse(parts, letter, received);
    if (received.kind === 'direct') {
      const answer = parts.direct[received.method];
      if (answer === undefined) throw failure('NoSuchMethod', { method: received.method });
      return await answer(received.args, message.context);
    }
    throw rejection(parts, letter, received);
  };
}

interface Letter {
  readonly message: RpcMessage;
  readonly delivery: RpcDelivery;
  readonly isCall: boolean;
}

/** The record that the sender names, where there is one. */
async function knownRecord({ store, ...parts }: InboxParts, letter: Letter): Promise<string | null> {
  const { operationId, args } = letter.message;
  if (operationId === undefined) return null;
  const operation = await patiently(parts, letter, () => store.operations.get(operationId));
  // Only services of ours name a record, the one that they have just written or handed on: where its owner is another by
  // now, the message is a late or second copy, and nothing is to be made of its arguments. Without arguments there is
  // nothing beside the record.
  return operation !== null || Object.keys(args).length === 0 ? operationId : null;
}

async function takeOperation(
  parts: InboxParts,
  letter: Letter,
  { request, ignored }: Extract<Received, { kind: 'operation' }>,
): Promise<unknown> {
  const { message, delivery, isCall } = letter;
  const fields = { message: delivery.id, method: message.method, resource: request.resourceId };
  if (ignored.length > 0) parts.log.debug({ ...fields, ignored }, 'fields of a message that are not known here');
  const notReady = parts.whyNotReady?.() ?? null;
  // Who waits is told at once, and can ask again.
  if (notReady !== null && isCall) throw notReady;
  const operation = await patiently(parts, letter, () => writeRecord(parts, letter, request));
  failpoint('inbox.recorded');
  // Meant for another from the start. One that was ours and is placed by now has been sent on already.
  if (request.owner !== null && request.owner !== parts.owner && operation.finishedAt === null) {
    await parts.forward(operation, message.context);
    delivery.ack();
    return null;
  }
  return await performRecord(parts, letter, operation.id, operation);
}

async function performRecord(
  parts: InboxParts,
  letter: Letter,
  operationId: string,
  read?: Operation,
): Promise<unknown> {
  const { delivery } = letter;
  let isAcknowledged = false;
  const acknowledge = () => {
    isAcknowledged = true;
    delivery.ack();
  };
  const notReady = parts.whyNotReady?.() ?? null;
  if (notReady !== null) {
    // The record waits here for better times.
    acknowledge();
    if (!letter.isCall) parts.onParked?.(operationId);
    throw notReady;
  }
  try {
    return await parts.perform(operationId, acknowledge, read);
  } catch (error) {
    if (isAcknowledged || !parts.stopping.aborted) throw error;
    // Not begun, and not to be: whoever serves the queue next does it, so nothing of it stays here.
    const own = recordId(parts, delivery);
    if (operationId === own) await parts.store.operations.withdraw(own, parts.owner).catch(() => false);
    throw new NotTaken();
  }
}

/** The record of the request: there already, taken over, or written now. */
async function writeRecord(
  parts: InboxParts,
  { message, delivery }: Letter,
  received: WireRequest,
): Promise<Operation> {
  const { store } = parts;
  const id = recordId(parts, delivery);
  const recorded = await recordAtOnce(parts, message, received, id);
  if (recorded !== null) return recorded;
  for (let look = 1; ; look += 1) {
    const request = await parts.complete(store, received).catch(async (error: unknown) => {
      // A message that has done its work is answered from its record, whatever became of the rows since.
      const known = await store.operations.get(id);
      if (known === null) throw error;
      return { ...received, owner: known.owner };
    });
    const owner = request.owner ?? parts.owner;
    const { method, resourceId } = request;
    const history = await store.operations.history(resourceId, HISTORY);
    const decision = decideRecord({ id, method, owner }, history);
    if (decision.kind === 'take over') {
      const own = history.find((record) => record.id === decision.id)?.arguments ?? {};
      const changes = { arguments: argumentsTakenOver(method, own, request.arguments) };
      const taken = await store.operations.handOver(decision.id, { owner: decision.from }, owner, changes);
      if (taken !== null) return taken;
    } else {
      if (decision.kind === 'record') {
        await store.operations.record(newRecord(id, owner, request, message.context));
      }
      const operation = await store.operations.get(decision.kind === 'known' ? decision.id : id);
      if (operation !== null) return operation;
    }
    if (look === LOOKS) {
      const reason = 'its record changed hands several times; ask again';
      throw failure('Overtaken', { what: `${method} of ${resourceId}`, reason });
    }
  }
}

/** Nearly every request comes once, and for a volume that is here: then its record is a single statement. */
async function recordAtOnce(
  { owner, store, volumeOf }: InboxParts,
  { context }: RpcMessage,
  request: WireRequest,
  id: string,
): Promise<Operation | null> {
  if (volumeOf === undefined || request.owner !== null) return null;
  const of = { volumeId: volumeOf(request), single: isGuarded(request.method) };
  return await store.operations.recordForVolume(newRecord(id, owner, request, context), of);
}

function newRecord(id: string, owner: string, request: WireRequest, context: RequestContext): NewOperation {
  const { method, resourceId, resourceType } = request;
  const { requestId, userId, projectId } = context;
  const who = { requestId, userId, projectId, context: recordedContext(context) };
  return { id, method, resourceId, resourceType, owner, ...who, arguments: request.arguments };
}

/** What the sender changed before it asked is put right; then it is told. */
async function refuse(
  parts: InboxParts,
  letter: Letter,
  { reason, aftermath }: Extract<Received, { kind: 'refused' }>,
): Promise<never> {
  const { message, delivery } = letter;
  if (aftermath !== null) await patiently(parts, letter, () => settle(parts.store, message, aftermath));
  parts.log.warn(
    { message: delivery.id, request_id: message.context.requestId, method: message.method, reason },
    'refused',
  );
  throw failure('NotImplemented', { what: message.method, next: reason });
}

async function settle(store: Store, { method, context }: RpcMessage, aftermath: Aftermath): Promise<void> {
  await store.transaction(async (tx) => {
    const changed = await tx.peers.giveBack(aftermath.rows);
    await tx.peers.settleReservations(aftermath.reservations, 'rollback');
    const { resource } = aftermath;
    if (changed === 0 || resource === null) return;
    const failed = { method, resourceType: resource.type, resourceId: resource.id, arguments: {}, errorCode: null };
    await tx.peers.addMessage(userMessageOf(failed), context);
  });
}

function rejection(
  { topic, log }: InboxParts,
  { message: { method, version }, delivery }: Letter,
  received: Exclude<Received, { kind: 'operation' | 'direct' | 'refused' }>,
): Error {
  const fields = { message: delivery.id, topic, method, version };
  if (received.kind === 'malformed') {
    const reason = received.faults.map((fault) => `${fault.path} ${fault.reason}`.trim()).join('; ');
    log.warn({ ...fields, reason }, 'message cannot be used');
    return failure('InvalidArguments', { method, reason });
  }
  log.warn(fields, received.kind);
  if (received.kind === 'unknown method') return failure('NoSuchMethod', { method });
  return failure('UnsupportedVersion', { method, version: String(version), supported: received.known });
}

/** A service that is started anew takes its messages a moment before it can do what they ask for. */
async function untilStartSettled(parts: InboxParts): Promise<void> {
  if (parts.startSettled === undefined) return;
  await settledWithin(parts.startSettled(), CALL_PATIENCE_MS);
  if (parts.stopping.aborted && (parts.whyNotReady?.() ?? null) !== null) throw new NotTaken();
}

/** Tries until the database is there; NotTaken where the service stops meanwhile. */
async function patiently<T>(
  { stopping, log }: Pick<InboxParts, 'stopping' | 'log'>,
  { delivery, isCall }: Letter,
  work: () => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      if (stopping.aborted) throw new NotTaken();
      if (isCall && performance.now() - startedAtMs >= CALL_PATIENCE_MS) throw error;
      log.warn({ message: delivery.id, attempt, reason: messageOf(error) }, 'message waits for the database');
      await sleep(backoffMs(attempt, PAUSE), stopping);
    }
  }
}

function recordId({ owner, topic }: InboxParts, { id }: RpcDelivery): string {
  return nameUuid(`${topic} ${owner} ${id}`);
}
