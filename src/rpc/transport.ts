/**
 * The transport's contract. Implementations: memory (one process), amqp (RabbitMQ). One suite runs against each:
 * test/suites/transport.ts.
 *
 * - A cast waits in its queue while nobody listens; a call whose answer does not come in time rejects with RpcTimeout.
 * - A message goes to one listener of its topic (or of its server), a fan-out to all that listen at that moment.
 * - Arguments and results are JSON; nothing is shared between sender and receiver.
 * - A failure that a handler throws reaches the caller as an AshlarError with the same code, message and parameters.
 * - A message is gone from its queue once its handler acknowledges it, or has ended. What a listener that closes (or dies)
 *   has not acknowledged goes back and is delivered again.
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
  /** Groups methods of one name; null or missing is the usual group. */
  readonly namespace?: string | null;
  readonly args: Readonly<Record<string, unknown>>;
  readonly context: RequestContext;
  /** The id of the sender's own durable record of what it asks for; peers that are not Ashlar neither send nor read it. */
  readonly operationId?: string;
}

/** What a handler knows of the message's way, and says about it. */
export interface RpcDelivery {
  /** The sender's id of the message, the same for every copy of it. */
  readonly id: string;
  /** True where the message may have been delivered before, to us or to another. */
  readonly redelivered: boolean;
  /** The claim is durable: the message need not come again. A second time does nothing. */
  ack(): void;
}

/**
 * Thrown by a handler that could not take the message and stops: it stays unacknowledged, nobody is answered, and it
 * goes back when the listener closes. For a listener that is about to close.
 */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
}

/** Answers the caller with what it returns or throws; for a cast nobody listens to that. */
export type RpcHandler = (message: RpcMessage, delivery: RpcDelivery) => Promise<unknown>;

export interface RpcListener {
  /**
   * Takes nothing new; resolves when the handlers that run have ended, or after timeoutMs: what has not been
   * acknowledged by then is handed back. Without timeoutMs it waits for all.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

export interface RpcCallOptions {
  readonly timeoutMs: number;
  /** Asks for a sign of life at least so often while the other side works; without one the call ends early. */
  readonly monitorMs?: number;
}

export interface Transport {
  /** `process`: only Ashlar's own services can be at the other end. `network`: whoever listens there, of any make. */
  readonly reach: 'process' | 'network';
  call(target: RpcTarget, message: RpcMessage, options: RpcCallOptions): Promise<unknown>;
  cast(target: RpcTarget, message: RpcMessage): Promise<void>;
  fanout(topic: string, message: RpcMessage): Promise<void>;
  listen(address: { readonly topic: string; readonly server: string }, handler: RpcHandler): Promise<RpcListener>;
  close(): Promise<void>;
}
