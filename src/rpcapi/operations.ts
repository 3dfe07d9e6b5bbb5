import type { RequestContext } from '../model/context.ts';
import type { Operation } from '../model/operation.ts';

/** How a service tells an operation's owner that there is work. The record is the truth, these are wake-ups. */
export interface OperationRpc {
  /** Returns when the wake-up is handed to the transport. Never throws: a lost one is found again in the record. */
  wake(operation: Operation, context: RequestContext): Promise<void>;
  /** Wakes the owner and waits for the end: the result, or the failure thrown. RpcTimeout after timeoutMs. */
  perform(operation: Operation, context: RequestContext, options: { readonly timeoutMs: number }): Promise<unknown>;
}
