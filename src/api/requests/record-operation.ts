/** How a request hands its work on: the record inside the request's transaction, the wake-up after its commit. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../db/store.ts';
import { type RequestContext, recordedContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { OperationMethod, RequestArguments } from '../../rpcapi/requests.ts';
import type { ApiServices } from '../route.ts';

/** What is to be done, and by whom: `owner` is a `host@backend`, or the scheduler's topic. */
export interface Work<M extends OperationMethod> {
  readonly resourceType: Operation['resourceType'];
  readonly resourceId: string;
  readonly method: M;
  readonly arguments: RequestArguments<M>;
  readonly owner: string;
}

/** Writes the record. Call it inside the transaction that also claims the resource. */
export async function recordOperation<M extends OperationMethod>(
  tx: Store,
  context: RequestContext,
  work: Work<M>,
): Promise<Operation> {
  const id = randomUUID();
  const { requestId, userId, projectId } = context;
  await tx.operations.record({ id, ...work, requestId, userId, projectId, context: recordedContext(context) });
  const operation = await tx.operations.get(id);
  if (operation === null) throw failure('Internal', { reason: `Operation ${id} was recorded and is not there.` });
  return operation;
}

/** Wakes the owner and waits for the end: the operation's result, or its failure thrown; RpcTimeout after rpc_response_timeout. */
export async function performOperation(
  services: Pick<ApiServices, 'operations' | 'options'>,
  context: RequestContext,
  operation: Operation,
): Promise<unknown> {
  return services.operations.perform(operation, context, { timeoutMs: services.options.rpc_response_timeout * 1000 });
}

/** The unfinished operation of this method on a resource, where a request repeats one that still runs; else null. */
export async function findUnfinished(
  store: Store,
  resourceId: string,
  method: OperationMethod,
): Promise<Operation | null> {
  const recent = await store.operations.history(resourceId, 10);
  return recent.find((it) => it.method === method && (it.state === 'queued' || it.state === 'running')) ?? null;
}
