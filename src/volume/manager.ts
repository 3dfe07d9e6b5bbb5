/**
 * perform(): the one way every operation goes. Generic: what an operation does stands in operations/.
 *
 *   claim the record -> take the locks -> load -> run -> succeed + finish in one transaction -> answer
 *                                            \-> undo -> fail + finish in one transaction -> throw
 */
import { type ZodType, z } from 'zod';
import type { KeyedLock } from '../coordination/keyed-lock.ts';
import type { Store } from '../db/store.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Logger } from '../log/logger.ts';
import { AshlarError, failure, isFailure, messageOf } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import { type OperationMethod, type RequestArguments, requestArguments, SCHEDULER_TOPIC } from '../rpcapi/requests.ts';
import type { AnyOperation, Backend, OperationRequest } from './operation.ts';
import { createUndoStack, type UndoStack } from './undo.ts';

export interface ManagerOptions {
  readonly store: Store;
  readonly backend: Backend;
  readonly operations: readonly AnyOperation[];
  readonly locks: KeyedLock;
  /** This incarnation of the service; a record claimed by another one is a crash's leftover. */
  readonly worker: string;
  /** How often an operation is started, crashes included, before it fails. */
  readonly maxAttempts: number;
  readonly log: Logger;
  /** Called after an operation that changed how much is free. */
  readonly onCapacityChange: () => void;
  /** Called for an operation that goes back to the scheduler. */
  readonly onReschedule: (operation: Operation) => void;
}

export interface VolumeManager {
  /**
   * Performs a recorded operation; the answer or the failure. A second call while it runs joins the first.
   * `recovering`: whoever claimed it earlier is known to be gone.
   */
  perform(operationId: string, options?: { readonly recovering?: boolean }): Promise<unknown>;
  /** How many operations are under way. */
  inFlight(): number;
}

export function createVolumeManager(options: ManagerOptions): VolumeManager {
  const definitions = new Map(options.operations.map((definition) => [definition.method as string, definition]));
  const inFlight = new Map<string, Promise<unknown>>();
  return {
    inFlight: () => inFlight.size,
    perform(operationId, { recovering = false } = {}) {
      const running = inFlight.get(operationId);
      if (running !== undefined) return running;
      const performing = claimAndWork(options, definitions, operationId, recovering).finally(() =>
        inFlight.delete(operationId),
      );
      inFlight.set(operationId, performing);
      return performing;
    },
  };
}

async function claimAndWork(
  options: ManagerOptions,
  definitions: ReadonlyMap<string, AnyOperation>,
  operationId: string,
  recovering: boolean,
): Promise<unknown> {
  const { store, backend, worker } = options;
  const operation = await store.operations.claim(operationId, backend.serviceHost, worker, { steal: recovering });
  // Somebody has it, or it has ended: a second wake-up is no news.
  if (operation === null) return await answerOfEnded(store, operationId);
  failpoint('operation.claimed');
  const log = options.log.child({
    request_id: operation.requestId,
    operation: operation.id,
    method: operation.method,
    resource: operation.resourceId,
  });
  const definition = definitions.get(operation.method);
  if (definition === undefined) {
    return await end(options, log, operation, failure('InvalidInput', { reason: `no method ${operation.method}` }));
  }
  return await work(options, definition, operation, log);
}

async function work(
  options: ManagerOptions,
  definition: AnyOperation,
  operation: Operation,
  log: Logger,
): Promise<unknown> {
  const parsed = (requestArguments[operation.method as OperationMethod] as ZodType).safeParse(operation.arguments);
  if (!parsed.success) {
    const reason = `arguments of ${operation.method}: ${z.prettifyError(parsed.error)}`;
    return await end(options, log, operation, failure('InvalidInput', { reason }));
  }
  const request = { operation, args: parsed.data } as OperationRequest<OperationMethod>;
  const startedAtMs = performance.now();
  return await options.locks.withKeys(definition.locks(request), async () => {
    const attempt = createAttempt(options, definition, request, log);
    const answer = await attempt();
    log.info({ duration_ms: Math.round(performance.now() - startedAtMs) }, 'operation done');
    if (definition.changesCapacity === true) options.onCapacityChange();
    return answer;
  });
}

/** One attempt, under the locks. */
function createAttempt(
  options: ManagerOptions,
  definition: AnyOperation,
  request: OperationRequest<OperationMethod>,
  log: Logger,
): () => Promise<unknown> {
  const { store, backend, worker, maxAttempts } = options;
  const { operation } = request;
  const undo = createUndoStack();
  const context = { store, backend, undo, log };
  return async () => {
    let subject: unknown;
    try {
      subject = await definition.load(store, request);
    } catch (error) {
      return await end(options, log, operation, error);
    }
    try {
      if (operation.attempt > 1 && definition.recover === 'undo') {
        await definition.takeBack?.(context, subject, request);
        const reason = `${operation.method} was interrupted and has been taken back; ask again`;
        throw failure('ServiceUnavailable', { reason });
      }
      if (operation.attempt > maxAttempts) {
        const reason = `${operation.method} was started ${maxAttempts} times and never came to an end; see the log for why`;
        throw failure('VolumeBackendAPIException', { reason });
      }
      const result = await definition.run(context, subject, request);
      await store.transaction(async (tx) => {
        const written = await definition.succeed(tx, subject, result, request);
        const reason = 'its row no longer asks for this work';
        if (!written) throw failure('Overtaken', { what: operation.resourceId, reason });
        if (!(await tx.operations.finish(operation.id, worker, { state: 'done' }))) throw fenced(operation);
      });
      return definition.answer === undefined ? null : definition.answer(result);
    } catch (error) {
      // Without the database nothing can be ended: the record stays, and recovery or the sweep takes it up again.
      if (isFailure(error, 'ConnectionFailed') && !(await isReachable(store))) throw error;
      return await failAttempt(options, definition, request, { subject, undo, log, error });
    }
  };
}

async function failAttempt(
  options: ManagerOptions,
  definition: AnyOperation,
  request: OperationRequest<OperationMethod>,
  { subject, undo, log, error }: { subject: unknown; undo: UndoStack; log: Logger; error: unknown },
): Promise<never> {
  const { operation } = request;
  const { store, backend, worker } = options;
  log.warn({ reason: messageOf(error), code: codeOf(error) }, 'operation failed');
  const notUndone = await undo.run(log);
  if (definition.changesCapacity === true) options.onCapacityChange();
  // What could not be taken back stays here, in error, where a delete of the volume finds it.
  const handed = notUndone.length > 0 ? null : await reschedule(options, definition, request, error);
  if (handed !== null) {
    options.onReschedule(handed);
    throw error;
  }
  await store.transaction(async (tx) => {
    await definition.fail(tx, subject, request, error);
    const outcome = { state: 'failed', code: codeOf(error), error: messageOf(error) } as const;
    if (!(await tx.operations.finish(operation.id, worker, outcome))) throw fenced(operation);
  });
  throw withHost(error, backend.serviceHost);
}

/** Hands a placement that failed here back to the scheduler, which knows when to stop trying. */
async function reschedule(
  { store, backend, worker }: ManagerOptions,
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
    const failures = { ...placement.failures, [volume.host]: messageOf(error) };
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

/** Ends an operation that never began: nothing to undo, no row to change. */
async function end(
  { store, worker }: ManagerOptions,
  log: Logger,
  operation: Operation,
  error: unknown,
): Promise<never> {
  log.warn({ reason: messageOf(error), code: codeOf(error) }, 'operation refused');
  if (!isFailure(error, 'ConnectionFailed')) {
    await store.operations.finish(operation.id, worker, {
      state: 'failed',
      code: codeOf(error),
      error: messageOf(error),
    });
  }
  throw error;
}

async function answerOfEnded(store: Store, operationId: string): Promise<null> {
  const operation = await store.operations.get(operationId);
  if (operation?.state === 'failed') {
    throw failure('Internal', { reason: operation.error ?? `${operation.method} failed` });
  }
  return null;
}

async function isReachable(store: Store): Promise<boolean> {
  return await store.ping().then(
    () => true,
    () => false,
  );
}

function fenced(operation: Operation): AshlarError {
  return failure('Overtaken', { what: `Operation ${operation.id}`, reason: 'another worker has taken it over' });
}

function codeOf(error: unknown): string {
  return error instanceof AshlarError ? error.code : 'Internal';
}

/** What is not of the catalogue reaches the caller as the backend's failure, with its reason. */
function withHost(error: unknown, host: string): AshlarError {
  if (error instanceof AshlarError) return error;
  return failure('VolumeBackendAPIException', { reason: `${host}: ${messageOf(error)}` }, error);
}
