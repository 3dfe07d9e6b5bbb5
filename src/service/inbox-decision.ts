/** Which record a message is about. Pure. */
import type { Operation } from '../model/operation.ts';
import type { OperationMethod } from '../rpcapi/requests.ts';

export type InboxDecision =
  /** It has its record. */
  | { readonly kind: 'known'; readonly id: string }
  /** The record there is waits for somebody else, who passed the work on without telling it. */
  | { readonly kind: 'take over'; readonly id: string; readonly from: string }
  | { readonly kind: 'record' };

/**
 * Methods that the status of their resource guards: there is one at a time, so an unfinished record of the same method
 * and resource is the same request. Connections are asked for by several at once, each for himself.
 */
const guarded: ReadonlySet<OperationMethod> = new Set([
  'create_volume',
  'delete_volume',
  'extend_volume',
  'retype',
  'create_snapshot',
  'delete_snapshot',
]);

/** Whether there is one request of the method for a resource at a time. */
export function isGuarded(method: OperationMethod): boolean {
  return guarded.has(method);
}

/** `id`: of the record that the message itself would make. `history`: of its resource, newest first. */
export function decideRecord(
  request: { readonly id: string; readonly method: OperationMethod; readonly owner: string },
  history: readonly Operation[],
): InboxDecision {
  if (history.some(({ id }) => id === request.id)) return { kind: 'known', id: request.id };
  if (!isGuarded(request.method)) return { kind: 'record' };
  const same = history.find(
    ({ method, state }) => method === request.method && (state === 'queued' || state === 'running'),
  );
  if (same === undefined) return { kind: 'record' };
  if (same.owner === request.owner) return { kind: 'known', id: same.id };
  // Who works on it has not passed it on: this message is an old one.
  return same.state === 'queued' ? { kind: 'take over', id: same.id, from: same.owner } : { kind: 'record' };
}

type Arguments = Operation['arguments'];

/**
 * The arguments of a record that is taken over: its own, and where a new volume has been tried in the meantime, which
 * only the message knows. Without it a place that failed would be chosen again and again.
 */
export function argumentsTakenOver(method: OperationMethod, own: Arguments, sent: Arguments): Arguments {
  if (method !== 'create_volume') return own;
  const tried = [own, sent].flatMap(({ excludedHosts }) => (Array.isArray(excludedHosts) ? excludedHosts : []));
  return { ...own, excludedHosts: [...new Set(tried)] };
}
