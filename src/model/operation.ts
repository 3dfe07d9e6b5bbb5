import type { RecordedContext, RequestContext } from './context.ts';

/**
 * The durable record of one request. The record is the truth, a message about it only a wake-up: a request is answered
 * 202, or its message acknowledged, after the record is committed, and it ends exactly once, by `finish`.
 */
export interface Operation {
  readonly id: string;
  readonly resourceType: 'volume' | 'snapshot' | 'attachment';
  readonly resourceId: string;
  /** The RPC method, for example `create_volume`. */
  readonly method: string;
  /** The method's arguments as JSON. Never holds a secret. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  readonly userId: string | null;
  readonly projectId: string | null;
  /** What else is kept of who asked; none in records of earlier releases. */
  readonly context?: RecordedContext | null;
  /** Who has to act next: `cinder-scheduler`, or the volume service `host@backend`. */
  readonly owner: string;
  readonly state: OperationState;
  /** Which attempt works on it (a uuid of its own); fences every earlier one, of this process too. */
  readonly worker: string | null;
  /** How often work was started, over crashes and retries. */
  readonly attempt: number;
  /** Why it failed, for people. */
  readonly error: string | null;
  /** Stable code of that failure, an ErrorCode. */
  readonly errorCode: string | null;
  readonly result: unknown;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export type OperationState = 'queued' | 'running' | 'done' | 'failed';

export type NewOperation = Pick<
  Operation,
  | 'id'
  | 'resourceType'
  | 'resourceId'
  | 'method'
  | 'arguments'
  | 'requestId'
  | 'userId'
  | 'projectId'
  | 'context'
  | 'owner'
>;

/** The context of the request that the record was made for, as it is passed on with a wake-up. */
export function contextOf({
  requestId,
  userId,
  projectId,
  context,
}: Pick<Operation, 'requestId' | 'userId' | 'projectId' | 'context'>): RequestContext {
  return { requestId, userId, projectId, isAdmin: false, roles: [], ...context };
}

/**
 * True where the record was made from a peer's message: its id is derived from the message's own, a UUID of version 5,
 * so that the message delivered again names the same record.
 */
export function isFromPeer({ id }: Pick<Operation, 'id'>): boolean {
  return id[14] === '5';
}
