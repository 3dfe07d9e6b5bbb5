/** What an operation is: a value in its own file under operations/. The manager is generic over these. */
import type { Store, VolumeRowChange } from '../db/store.ts';
import type { DriverSnapshot, DriverVolume, VolumeDriver } from '../driver/driver.ts';
import type { Target } from '../driver/target.ts';
import type { Logger } from '../log/logger.ts';
import { failure } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import type { OperationMethod, RequestArguments } from '../rpcapi/requests.ts';
import type { Undo } from './undo.ts';

/** The backend an operation works on, and how rows become what drivers see. */
export interface Backend {
  /** `host@backend`. */
  readonly serviceHost: string;
  /** Throws Fenced where another process may have the backend by now. */
  mayAct(): void;
  /** The uuid of its row among the services; null without one. */
  serviceUuid(): Promise<string | null>;
  readonly driver: VolumeDriver;
  readonly target: Target;
  toDriverVolume(volume: Volume): Promise<DriverVolume>;
  toDriverSnapshot(snapshot: Snapshot, volume: Volume): Promise<DriverSnapshot>;
}

export interface OperationContext {
  readonly store: Store;
  readonly backend: Backend;
  readonly undo: Undo;
  readonly log: Logger;
}

export interface OperationRequest<M extends OperationMethod> {
  readonly operation: Operation;
  readonly args: RequestArguments<M>;
}

/**
 * One method of the volume service. The manager claims the record, takes the locks, calls `load`, then `run`, and ends
 * the record in one transaction together with `succeed` or `fail`.
 */
export interface OperationDefinition<M extends OperationMethod, Subject, Result> {
  readonly method: M;
  /** What start-up does with it after a crash. */
  readonly recover: 'redo' | 'undo';
  /** Names of everything that nobody else may work on meanwhile: `volume:<id>`, `snapshot:<id>`. */
  locks(request: OperationRequest<M>): readonly string[];
  /** Reads what it works on. Throws Overtaken where that is no longer in the state that asks for this work. */
  load(store: Store, request: OperationRequest<M>): Promise<Subject>;
  /** The effects, each idempotent, each with its undo deferred before. */
  run(context: OperationContext, subject: Subject, request: OperationRequest<M>): Promise<Result>;
  /** Writes the outcome by conditional UPDATE. False: somebody changed the row meanwhile. */
  succeed(tx: Store, subject: Subject, result: Result, request: OperationRequest<M>): Promise<boolean>;
  /**
   * The same where the outcome is no more than this: it is written together with the end of the record, in one statement. Where that
   * finds the row or the record changed, `succeed` says how.
   */
  outcome?(subject: Subject, result: Result): VolumeRowChange;
  /** Writes the failure status. A row that changed meanwhile is left alone. */
  fail(tx: Store, subject: Subject, request: OperationRequest<M>, error: unknown): Promise<void>;
  /** With `recover: 'undo'`: takes interrupted work back. */
  takeBack?(context: OperationContext, subject: Subject, request: OperationRequest<M>): Promise<void>;
  /** What the caller is answered; by default nothing. */
  answer?(result: Result): unknown;
  /**
   * The answer from the rows, since no secret stands in the record: without `answer` at once, and where the same message
   * comes again after the end. Has no effects; throws where it is no longer true. By default nothing.
   */
  answerAgain?(context: Pick<OperationContext, 'store' | 'backend'>, request: OperationRequest<M>): Promise<unknown>;
  /** True where another backend may succeed: the operation goes back to the scheduler. */
  readonly reschedule?: true;
  /** Capacity changes with it: the schedulers are told soon after. */
  readonly changesCapacity?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: the roll-call holds operations of every subject and result.
export type AnyOperation = OperationDefinition<any, any, any>;

export function defineOperation<M extends OperationMethod, Subject, Result>(
  definition: OperationDefinition<M, Subject, Result>,
): OperationDefinition<M, Subject, Result> {
  return definition;
}

/** `succeed` of an operation that has an `outcome`. */
export async function writeOutcome(tx: Store, { volumeId, during, changes }: VolumeRowChange): Promise<boolean> {
  return (await tx.volumes.updateIf(volumeId, { status: during }, changes)) !== null;
}

/** The volume, required to be in the given status. */
export async function loadVolume(store: Store, id: string, during?: Volume['status']): Promise<Volume> {
  const volume = await store.volumes.get(id);
  if (volume === null) throw failure('VolumeNotFound', { id });
  if (during !== undefined && volume.status !== during) {
    throw failure('Overtaken', { what: `Volume ${id}`, reason: `its status is ${volume.status}, not ${during}` });
  }
  return volume;
}

/** The snapshot in the given status, and its volume. */
export async function loadSnapshot(
  store: Store,
  id: string,
  during?: Snapshot['status'],
): Promise<{ snapshot: Snapshot; volume: Volume }> {
  const snapshot = await store.snapshots.get(id);
  if (snapshot === null) throw failure('SnapshotNotFound', { id });
  if (during !== undefined && snapshot.status !== during) {
    throw failure('Overtaken', { what: `Snapshot ${id}`, reason: `its status is ${snapshot.status}, not ${during}` });
  }
  return { snapshot, volume: await loadVolume(store, snapshot.volumeId) };
}
