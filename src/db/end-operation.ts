import { isFromPeer, type Operation } from '../model/operation.ts';
import { userMessageOf } from '../model/user-message.ts';
import type { OperationStore, Store } from './store.ts';

export type OperationOutcome = Parameters<OperationStore['finish']>[2];

/**
 * Ends the record inside the caller's transaction, and with it what a peer left open for it: reservations of quota are
 * committed or rolled back, and a user of the peer's API finds a message about a failure. False where the worker no
 * longer holds it; nothing is settled then.
 */
export async function endOperation(
  tx: Store,
  operation: Operation,
  worker: string | null,
  outcome: OperationOutcome,
): Promise<boolean> {
  if (!(await tx.operations.finish(operation.id, worker, outcome))) return false;
  await tx.peers.settleReservations(reservationsOf(operation), outcome.state === 'done' ? 'commit' : 'rollback');
  if (outcome.state === 'failed' && isFromPeer(operation)) {
    await tx.peers.addMessage(userMessageOf({ ...operation, errorCode: outcome.code }), operation);
  }
  return true;
}

/** Whether a peer left reservations open for it: its end is more than the record's. */
export function leavesReservations(operation: Operation): boolean {
  return reservationsOf(operation).length > 0;
}

function reservationsOf({ arguments: { reservations } }: Operation): string[] {
  return Array.isArray(reservations) ? reservations.filter((id) => typeof id === 'string') : [];
}
