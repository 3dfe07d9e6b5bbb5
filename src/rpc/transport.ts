/**
 * The transport's contract. Implementations: memory (one process). One suite runs against each: test/suites/transport.ts.
 *
 * - A cast waits in its queue while nobody listens; a call whose answer does not come in time rejects with RpcTimeout.
 * - A message goes to one listener of its topic (or of its server), a fan-out to all that listen at that moment.
 * - Arguments and results are JSON; nothing is shared between sender and receiver.
 * - A failure that a handler throws reaches the caller as an AshlarError with the same code, message and parameters.
 */
import type { RequestContext } from '../model/context.ts';

export interface RpcTarget {
  readonly topic: string;
  /** The one server of that name, `host@backend`; without it any server of the topic. */
  readonly server?: string;
}

export interface RpcMessage {
  readonly method: string;
  readonly version: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly context: RequestContext;
}

/** Answers the caller with what it returns or throws; for a cast nobody listens to that. */
export type RpcHandler = (message: RpcMessage) => Promise<unknown>;

export interface RpcListener {
  /** Takes nothing new; resolves when the handlers that run have ended. */
  close(): Promise<void>;
}

export interface Transport {
  call(target: RpcTarget, message: RpcMessage, options: { readonly timeoutMs: number }): Promise<unknown>;
  cast(target: RpcTarget, message: RpcMessage): Promise<void>;
  fanout(topic: string, message: RpcMessage): Promise<void>;
  listen(address: { readonly topic: string; readonly server: string }, handler: RpcHandler): Promise<RpcListener>;
  close(): Promise<void>;
}
