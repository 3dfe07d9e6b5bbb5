/**
 * perform(): the one way every operation goes. Generic: what an operation does stands in operations/.
 *
 *   read the record -> take the locks -> wait for a place -> claim -> attempt (attempt.ts) -> answer
 *
 * Nothing is claimed that does not begin at once: at a stop, what waits stays queued and no attempt of it is counted.
 */
import { randomUUID } from 'node:crypto';
import { type ZodType, z } from 'zod';
import type { KeyedLock } from '../coordination/keyed-lock.ts';
import type { Store } from '../db/store.ts';
import { createLimiter } from '../lib/bounded.ts';
import { failpoint } from '../lib/failpoint.ts';
import { atStep, describeFlight, fly } from '../lib/flight.ts';
import { measure } from '../lib/measure.ts';
import type { Logger } from '../log/logger.ts';
import { AshlarError, failure, isErrorCode, isFailure } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import { type OperationMethod, requestArguments } from '../rpcapi/requests.ts';
import { attemptOperation, type Ending, refuseOperation } from './attempt.ts';
import { isInterruption } from './interruption.ts';
import type { AnyOperation, Backend, OperationRequest } from './operation.ts';
import { WAITS_FOR_PLACE } from './own-status.ts';

/** How many answers, and how long, for messages that come twice: a caller waits about a minute. */
const KEEP_ANSWERS = 200;
const KEEP_ANSWER_MS = 120_000;

export interface ManagerOptions {
  readonly store: Store;
  readonly backend: Backend;
  readonly operations: readonly AnyOperation[];
  readonly locks: KeyedLock;
  /** How many operations work at the same time; the rest wait, and hold no place while they wait for a lock. */
  readonly concurrency: number;
  /** How often an operation is started, crashes included, before it fails. */
  readonly maxAttempts: number;
  readonly log: Logger;
  /** Called after an operation that changed how much is free. */
  readonly onCapacityChange: () => void;
  /** Called for an operation that goes back to the scheduler. */
  readonly onReschedule: (operation: Operation) => void;
  /** Called for an operation whose record could not be ended: it has to be performed again. */
  readonly onCutOff: () => void;
}

export interface VolumeManager {
  /**
   * Performs a recorded operation; the answer or the failure. A second call while it runs joins the first.
   * `recovering`: whoever claimed it earlier is known to be gone, and nobody waits for the answer. `onClaimed` is called
   * once the claim is durable, unless it ends without one. `read`: the record, where the caller has just read it.
   */
  perform(
    operationId: string,
    options?: { readonly recovering?: boolean; readonly onClaimed?: () => void; readonly read?: Operation },
  ): Promise<unknown>;
  /** From now on nothing more begins: what has not yet stays in the record. */
  stop(): void;
  /** How many operations are under way or wait. */
  inFlight(): number;
  isInFlight(operationId: string): boolean;
  /** True where this manager was woken for it and could not end its record, because the database was away. */
  wasCutOff(operationId: string): boolean;
  /** All of those that nobody works on at this moment. */
  cutOff(): readonly string[];
}

export function createVolumeManager(options: ManagerOptions): VolumeManager {
  const { locks, log } = options;
  const desk: Desk = {
    ...options,
    definitions: new Map(options.operations.map((definition) => [definition.method as string, definition])),
    gate: createLimiter(options.concurrency),
    cutOff: new Set(),
    answers: new Map(),
    stopped: false,
  };
  const inFlight = new Map<string, Promise<unknown>>();

  async function perform(operationId: string, how: Manner): Promise<unknown> {
    const wokenAtMs = performance.now();
    const operation = how.read ?? (await desk.store.operations.get(operationId));
    if (operation !== null) describeFlight(operation);
    const request = operation === null ? null : readRequest(desk, operation);
    if (operation === null || request === null || !isOurs(desk, operation)) return answerOfEnded(desk, operation);
    const keys = 'refusal' in request ? [] : request.definition.locks(request);
    atStep('waiting for its locks');
    const ending = await locks.withKeys(keys, () => {
      atStep(`${WAITS_FOR_PLACE}: ${options.concurrency} operations work at the same time`);
      return desk.gate(() => {
        atStep('beginning');
        measure({ what: 'operation wait', method: operation.method, waitedMs: performance.now() - wokenAtMs });
        return begin(desk, operation, request, how);
      });
    });
    if (ending.kind === 'failed') throw ending.error;
    if (ending.answer !== null) keepAnswer(desk.answers, operationId, ending.answer);
    return ending.answer;
  }

  async function performOnce(operationId: string, how: Manner): Promise<unknown> {
    try {
      return await fly({ id: operationId, service: options.backend.serviceHost }, () => perform(operationId, how));
    } catch (error) {
      // Not begun, but woken: nobody wakes it again.
      if (isInterruption(error)) desk.cutOff.add(operationId);
      throw error;
    } finally {
      inFlight.delete(operationId);
      if (desk.cutOff.has(operationId)) {
        log.warn({ operation: operationId }, 'operation cut off; it stays in the record and is taken up again');
        options.onCutOff();
      }
    }
  }

  return {
    perform(operationId, { recovering = false, onClaimed = () => {}, read } = {}) {
      const running = inFlight.get(operationId);
      if (running !== undefined) {
        // The record is there and in good hands.
        onClaimed();
        return running;
      }
      const performing = performOnce(operationId, { recovering, onClaimed, read });
      inFlight.set(operationId, performing);
      return performing;
    },
    stop() {
      desk.stopped = true;
    },
    inFlight: () => inFlight.size,
    isInFlight: (operationId) => inFlight.has(operationId),
    wasCutOff: (operationId) => desk.cutOff.has(operationId),
    cutOff: () => [...desk.cutOff].filter((id) => !inFlight.has(id)),
  };
}

interface Manner {
  readonly recovering: boolean;
  readonly onClaimed: () => void;
  readonly read: Operation | undefined;
}

interface Desk extends ManagerOptions {
  readonly definitions: ReadonlyMap<string, AnyOperation>;
  readonly gate: <T>(work: () => Promise<T>) => Promise<T>;
  /** Operations that were woken here and whose end is not in the record. */
  readonly cutOff: Set<string>;
  /** The latest answers that say something, for a message that comes twice. Secrets: they stand nowhere else. */
  readonly answers: Map<string, { readonly answer: unknown; readonly atMs: number }>;
  stopped: boolean;
}

type Readable = OperationRequest<OperationMethod> & { readonly definition: AnyOperation };

/** What is asked for, or why it cannot be read. */
function readRequest({ definitions }: Desk, operation: Operation): Readable | { readonly refusal: AshlarError } {
  const { method } = operation;
  const definition = definitions.get(method);
  if (definition === undefined) return { refusal: failure('InvalidInput', { reason: `there is no method ${method}` }) };
  const parsed = (requestArguments[method as OperationMethod] as ZodType).safeParse(operation.arguments);
  if (!parsed.success) {
    const reason = `arguments of ${method}: ${z.prettifyError(parsed.error)}`;
    return { refusal: failure('InvalidInput', { reason }) };
  }
  return { definition, operation, args: parsed.data as Readable['args'] };
}

/** Claims it and works on it. Rejects only where the record could not be ended. */
async function begin(
  desk: Desk,
  { id }: Operation,
  request: Readable | { readonly refusal: AshlarError },
  { recovering, onClaimed }: Manner,
): Promise<Ending> {
  const { store, backend, cutOff } = desk;
  if (desk.stopped) {
    const reason = `${backend.serviceHost} is stopping; the request is recorded and is done at its next start`;
    throw failure('ServiceUnavailable', { reason });
  }
  backend.mayAct();
  // A name for this attempt alone: whatever an earlier one still does, of this process too, is fenced.
  const worker = randomUUID();
  const steal = recovering || cutOff.has(id);
  cutOff.add(id);
  const operation = await store.operations.claim(id, backend.serviceHost, worker, { steal });
  if (operation === null) {
    cutOff.delete(id);
    return { kind: 'answered', answer: await answerOfEnded(desk, await store.operations.get(id)) };
  }
  failpoint('operation.claimed');
  onClaimed();
  const log = desk.log.child({
    request_id: operation.requestId,
    operation: id,
    method: operation.method,
    resource: operation.resourceId,
  });
  const parts = { ...desk, operation, worker, log, recovering };
  const startedAtMs = performance.now();
  const ending = await ('refusal' in request
    ? refuseOperation(parts, request.refusal)
    : attemptOperation(parts, request.definition, { ...request, operation }));
  cutOff.delete(id);
  const durationMs = performance.now() - startedAtMs;
  const outcome = ending.kind === 'answered' ? 'done' : isFailure(ending.error) ? ending.error.code : 'Internal';
  measure({ what: 'operation', service: backend.serviceHost, method: operation.method, outcome, durationMs });
  if (ending.kind === 'answered') log.info({ duration_ms: Math.round(durationMs) }, 'operation done');
  return ending;
}

function isOurs({ backend }: Desk, operation: Operation): boolean {
  return operation.owner === backend.serviceHost && operation.finishedAt === null;
}

/** Somebody else has it, or it has ended: a second wake-up is no news, and is answered as the first was. */
async function answerOfEnded(desk: Desk, operation: Operation | null): Promise<unknown> {
  if (operation === null) return null;
  desk.cutOff.delete(operation.id);
  if (operation.state === 'failed') {
    const code = isErrorCode(operation.errorCode) ? operation.errorCode : 'Internal';
    throw withMessage(new AshlarError(code, {}), operation.error ?? `${operation.method} failed`);
  }
  if (operation.state !== 'done') return null;
  const kept = desk.answers.get(operation.id);
  if (kept !== undefined && performance.now() - kept.atMs < KEEP_ANSWER_MS) return kept.answer;
  const request = readRequest(desk, operation);
  if ('refusal' in request || request.definition.answerAgain === undefined) return operation.result;
  return await request.definition.answerAgain(desk, request);
}

function keepAnswer(answers: Desk['answers'], operationId: string, answer: unknown): void {
  answers.set(operationId, { answer, atMs: performance.now() });
  const [oldest] = answers.keys();
  if (answers.size > KEEP_ANSWERS && oldest !== undefined) answers.delete(oldest);
}

function withMessage(error: AshlarError, message: string): AshlarError {
  error.message = message;
  return error;
}
