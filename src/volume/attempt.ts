/**
 * One attempt at a claimed operation, under its locks:
 *
 *   load -> run -> succeed + finish in one transaction
 *              \-> is it still ours? -> undo -> back to the scheduler, or fail + finish in one transaction
 *
 * It answers how the record was ended, and rejects where that could not be done: a database that is away. Then nothing
 * is undone, and the whole attempt is made again; every effect is idempotent.
 */
import { endOperation, leavesReservations } from '../db/end-operation.ts';
import type { Store } from '../db/store.ts';
import { atStep } from '../lib/flight.ts';
import type { Logger } from '../log/logger.ts';
import { AshlarError, failure, isFailure, messageOf } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import { type OperationMethod, type RequestArguments, SCHEDULER_TOPIC } from '../rpcapi/requests.ts';
import { announceAttempt } from './announce-attempt.ts';
import { isInterruption } from './interruption.ts';
import type { AnyOperation, Backend, OperationRequest } from './operation.ts';
import { createUndoStack } from './undo.ts';

/** How an operation ended here. */
export type Ending =
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

export interface AttemptParts {
  readonly store: Store;
  readonly backend: Backend;
  readonly operation: Operation;
  /** Under which it was claimed. */
  readonly worker: string;
  readonly maxAttempts: number;
  /** Nobody waits for the answer any more. */
  readonly recovering: boolean;
  readonly log: Logger;
  readonly onCapacityChange: () => void;
  readonly onReschedule: (operation: Operation) => void;
}

/** What is written of an error at the most: commands can say a lot. */
const ERROR_LENGTH = 4000;

export async function attemptOperation(
  parts: AttemptParts,
  definition: AnyOperation,
  request: OperationRequest<OperationMethod>,
): Promise<Ending> {
  const { store, backend, worker, log } = parts;
  const { operation } = request;
  const isLast = attemptsHere(request) >= parts.maxAttempts;
  let subject: unknown;
  atStep('loading its rows');
  try {
    subject = await definition.load(store, request);
  } catch (error) {
    // What the rows say ends it. A database that fails says nothing about them, so it is asked again.
    if (isInterruption(error) || (!saysNo(error) && !isLast)) throw error;
    return await refuseOperation(parts, error);
  }
  announceAttempt(announcer(parts), subject, { kind: 'start' });
  const undo = createUndoStack();
  const context = { store, backend, undo, log };
  let result: unknown;
  try {
    if (definition.recover === 'undo' && (operation.attempt > 1 || parts.recovering)) {
      await definition.takeBack?.(context, subject, request);
      const reason = `${operation.method} was interrupted and has been taken back; ask again`;
      throw failure('ServiceUnavailable', { reason });
    }
    if (attemptsHere(request) > parts.maxAttempts) throw exhausted(operation, parts.maxAttempts);
    atStep('running');
    result = await definition.run(context, subject, request);
    atStep('writing the outcome');
    const isWritten = await writeAtOnce(parts, definition, subject, result);
    await (isWritten
      ? null
      : store.transaction(async (tx) => {
          const written = await definition.succeed(tx, subject, result, request);
          const reason = 'its row no longer asks for this work';
          if (!written) throw failure('Overtaken', { what: operation.resourceId, reason });
          if (!(await endOperation(tx, operation, worker, { state: 'done' }))) throw fenced(operation);
        }));
  } catch (error) {
    if (isInterruption(error)) throw error;
    // An error at the commit does not say whether it took place.
    const now = await store.operations.get(operation.id);
    const ours = now?.worker === worker;
    if (!(ours && now.state === 'done')) {
      if (!ours || now.state !== 'running') return stoodAside(parts, error);
      return await failAttempt(parts, definition, request, { subject, error, undo: () => undo.run(log) });
    }
  }
  if (definition.changesCapacity === true) parts.onCapacityChange();
  announceAttempt(announcer(parts), subject, { kind: 'end' });
  return { kind: 'answered', answer: await answerOf(parts, definition, request, result) };
}

/** False where it takes more than a statement, or somebody changed the row or the record. */
async function writeAtOnce(
  { store, operation, worker }: AttemptParts,
  { outcome }: AnyOperation,
  subject: unknown,
  result: unknown,
): Promise<boolean> {
  if (outcome === undefined || leavesReservations(operation)) return false;
  return await store.operations.finishWithVolume(operation.id, worker, outcome(subject, result));
}

async function answerOf(
  parts: AttemptParts,
  definition: AnyOperation,
  request: OperationRequest<OperationMethod>,
  result: unknown,
): Promise<unknown> {
  if (definition.answer !== undefined) return definition.answer(result);
  return definition.answerAgain === undefined ? null : await definition.answerAgain(parts, request);
}

function announcer({ store, backend, operation }: AttemptParts) {
  return { store, serviceHost: backend.serviceHost, operation };
}

/** Ends an operation that never began: nothing to undo, no row to change. */
export async function refuseOperation(
  { store, operation, worker, log }: AttemptParts,
  error: unknown,
): Promise<Ending> {
  log.warn({ reason: messageOf(error), code: codeOf(error) }, 'operation refused');
  await store.transaction((tx) => endOperation(tx, operation, worker, outcomeOf(error)));
  return { kind: 'failed', error };
}

/**
 * Another worker has it by now. What was done here stays: it may be the other's by now, and taking it back would take
 * it from under a volume that is in good order.
 */
function stoodAside({ log, operation }: AttemptParts, error: unknown): Ending {
  log.warn({ reason: messageOf(error) }, 'operation was taken over by another worker; nothing is undone here');
  return { kind: 'failed', error: fenced(operation) };
}

async function failAttempt(
  parts: AttemptParts,
  definition: AnyOperation,
  request: OperationRequest<OperationMethod>,
  { subject, error, undo }: { subject: unknown; error: unknown; undo: () => Promise<string[]> },
): Promise<Ending> {
  const { store, backend, operation, worker, log } = parts;
  log.warn({ reason: messageOf(error), code: codeOf(error) }, 'operation failed');
  const notUndone = await undo();
  // What the fence kept from being undone is for whoever has the backend now.
  if (notUndone.length > 0) backend.mayAct();
  atStep('writing the failure');
  if (definition.changesCapacity === true) parts.onCapacityChange();
  // What could not be taken back stays here, in error, where a delete of the volume finds it; and so does what
  // attempts that never came to their end may have left.
  const stays = notUndone.length > 0 || attemptsHere(request) > parts.maxAttempts;
  const handed = stays ? null : await reschedule(parts, definition, request, error);
  if (handed !== null) {
    parts.onReschedule(handed);
    return { kind: 'failed', error };
  }
  const lost = fenced(operation);
  try {
    await store.transaction(async (tx) => {
      await definition.fail(tx, subject, request, error);
      if (!(await endOperation(tx, operation, worker, outcomeOf(error)))) throw lost;
    });
  } catch (thrown) {
    if (thrown === lost) return stoodAside(parts, error);
    throw thrown;
  }
  announceAttempt(announcer(parts), subject, { kind: 'error', error });
  return { kind: 'failed', error: withHost(error, backend.serviceHost) };
}

/** Hands a placement that failed here back to the scheduler, which knows when to stop trying. */
async function reschedule(
  { store, backend, worker }: AttemptParts,
  definition: AnyOperation,
  { operation, args }: OperationRequest<OperationMethod>,
  error: unknown,
): Promise<Operation | null> {
  if (definition.reschedule !== true || isFailure(error, ...NOT_THE_BACKENDS_FAULT)) return null;
  const placement = args as RequestArguments<'create_volume'>;
  if (placement.pinnedHost !== null) return null;
  return await store.transaction(async (tx) => {
    const volume = await tx.volumes.get(operation.resourceId);
    if (volume === null || volume.host === null) return null;
    const excludedHosts = [...placement.excludedHosts, volume.host];
    const failures = { ...placement.failures, [volume.host]: storable(messageOf(error)) };
    const from = { owner: backend.serviceHost, worker };
    const changes = { arguments: { ...operation.arguments, excludedHosts, failures } };
    const handed = await tx.operations.handOver(operation.id, from, SCHEDULER_TOPIC, changes);
    if (handed !== null) await tx.volumes.updateIf(volume.id, { status: 'creating' }, { host: null });
    return handed;
  });
}

const NOT_THE_BACKENDS_FAULT = [
  'Overtaken',
  'VolumeNotFound',
  'SnapshotNotFound',
  'InvalidSnapshot',
  'InvalidInput',
] as const;

/** A record counts its attempts everywhere; those at backends that gave it back do not count against this one. */
function attemptsHere({ operation, args }: OperationRequest<OperationMethod>): number {
  return operation.attempt - ('excludedHosts' in args ? args.excludedHosts.length : 0);
}

function exhausted(operation: Operation, maxAttempts: number): AshlarError {
  const reason = `${operation.method} was started ${maxAttempts} times and never came to an end; see the log for why`;
  return failure('VolumeBackendAPIException', { reason });
}

/** True for an answer about the request, false for something that broke on the way to one. */
function saysNo(error: unknown): boolean {
  return isFailure(error) && error.status < 500;
}

function fenced(operation: Operation): AshlarError {
  return failure('Overtaken', { what: `Operation ${operation.id}`, reason: 'another worker has taken it over' });
}

function outcomeOf(error: unknown) {
  return { state: 'failed', code: codeOf(error), error: storable(messageOf(error)) } as const;
}

/** A command's stderr may hold anything; the database takes no NUL, and an outcome that cannot be written never ends. */
function storable(text: string): string {
  return text.replaceAll('\0', '').slice(0, ERROR_LENGTH);
}

function codeOf(error: unknown): string {
  return error instanceof AshlarError ? error.code : 'Internal';
}

/** What is not of the catalogue reaches the caller as the backend's failure, with its reason. */
function withHost(error: unknown, host: string): AshlarError {
  if (error instanceof AshlarError) return error;
  return failure('VolumeBackendAPIException', { reason: `${host}: ${messageOf(error)}` }, error);
}
