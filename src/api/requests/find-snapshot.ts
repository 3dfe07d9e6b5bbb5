import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { visibleProject } from './find.ts';

/** SnapshotNotFound for one that is not there, or not this caller's. */
export async function findSnapshot(store: Store, context: RequestContext, id: string): Promise<Snapshot> {
  const snapshot = await store.snapshots.get(id, { projectId: visibleProject(context) });
  if (snapshot === null) throw failure('SnapshotNotFound', { id });
  return snapshot;
}

/**
 * Holds back every other change of this snapshot's row until the transaction ends, and returns the row as it is then:
 * so that nobody deletes a snapshot in the moment in which somebody starts to use it.
 */
export async function lockSnapshot(tx: Store, { id, updatedAt }: Snapshot): Promise<Snapshot> {
  // An UPDATE that changes nothing is the store's one way to take a row's lock.
  const locked = await tx.snapshots.updateIf(id, {}, { updatedAt });
  if (locked === null) throw failure('SnapshotNotFound', { id });
  return locked;
}
