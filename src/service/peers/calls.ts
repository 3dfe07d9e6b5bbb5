/**
 * Ends the record of a call that a service of another make has answered, and does to the rows what such a service leaves
 * to its caller: what connects an attachment, and the end of one.
 */
import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Store } from '../../db/store.ts';
import { AshlarError, isFailure, messageOf } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import {
  attachmentTransitions,
  type SnapshotStatus,
  snapshotTransitions,
  type VolumeStatus,
  volumeTransitions,
} from '../../model/status.ts';

const { connect, disconnect } = attachmentTransitions;
const ERROR_LENGTH = 4000;

/** `answer` in our own form. Does nothing where the record has ended, or somebody of ours works on it. */
export async function completeCall(store: Store, operation: Operation, answer: unknown): Promise<void> {
  await endRecord(store, operation, { state: 'done' }, async (tx) => {
    const { resourceId: id, method } = operation;
    if (method === 'attachment_update') {
      const statuses = [...connect.accepts, connect.done] as const;
      const connectionInfo = answer as Readonly<Record<string, unknown>>;
      await tx.attachments.updateIf(id, { attachStatus: statuses }, { attachStatus: connect.done, connectionInfo });
    }
    if (method === 'attachment_delete') await removeAttachment(tx, id, String(operation.arguments.volumeId));
  });
}

/** The failure of a call; where nobody answered the peer may still do it, so the rows are left to it. */
export async function failCall(store: Store, operation: Operation, error: unknown): Promise<void> {
  const code = error instanceof AshlarError ? error.code : 'Internal';
  const text = messageOf(error).replaceAll('\0', '').slice(0, ERROR_LENGTH);
  await endRecord(store, operation, { state: 'failed', code, error: text }, async (tx) => {
    if (isFailure(error, 'RpcTimeout')) return;
    const { resourceId: id, method } = operation;
    if (method === 'attachment_delete') {
      await tx.attachments.updateIf(id, { attachStatus: disconnect.accepts }, { attachStatus: disconnect.failed });
    } else if (method === 'attachment_update' && operation.arguments.created === true) {
      await tx.attachments.updateIf(id, {}, { attachStatus: 'deleted', deleted: true, deletedAt: new Date() });
    } else if (method === 'attachment_update' && !isFailure(error, 'InvalidConnector', 'InvalidInput')) {
      const statuses = [...connect.accepts, connect.done] as const;
      await tx.attachments.updateIf(id, { attachStatus: statuses }, { attachStatus: connect.failed });
    }
  });
}

/** What was never handed to anybody ends as failed, its resource with it where that still waits. */
export async function failCast(store: Store, operation: Operation, error: unknown): Promise<void> {
  const code = error instanceof AshlarError ? error.code : 'Internal';
  const text = messageOf(error).replaceAll('\0', '').slice(0, ERROR_LENGTH);
  await store.transaction(async (tx) => {
    if (!(await tx.operations.finish(operation.id, null, { state: 'failed', code, error: text }))) return;
    const { resourceType, resourceId, method } = operation;
    const volume = volumeEnds[method];
    const snapshot = snapshotEnds[method];
    if (resourceType === 'volume' && volume !== undefined) {
      const row = await tx.volumes.get(resourceId);
      // Nothing was touched, so a volume that was to grow is as good as before.
      const before = method === 'extend_volume' ? ((row?.previousStatus ?? 'available') as VolumeStatus) : null;
      await tx.volumes.updateIf(resourceId, { status: volume.during }, { status: before ?? volume.failed });
    } else if (resourceType === 'snapshot' && snapshot !== undefined) {
      await tx.snapshots.updateIf(resourceId, { status: snapshot.during }, { status: snapshot.failed });
    }
  });
}

const volumeEnds: Readonly<Record<string, { readonly during: VolumeStatus; readonly failed: VolumeStatus }>> = {
  create_volume: volumeTransitions.create,
  delete_volume: volumeTransitions.remove,
  extend_volume: volumeTransitions.extend,
};
const snapshotEnds: Readonly<Record<string, { readonly during: SnapshotStatus; readonly failed: SnapshotStatus }>> = {
  create_snapshot: snapshotTransitions.create,
  delete_snapshot: snapshotTransitions.remove,
};

type Outcome = Parameters<Store['operations']['finish']>[2];

async function endRecord(
  store: Store,
  operation: Operation,
  outcome: Outcome,
  change: (tx: Store) => Promise<void>,
): Promise<void> {
  const { resourceType, resourceId } = operation;
  await store.transaction(async (tx) => {
    const volumeId = resourceType === 'volume' ? resourceId : String(operation.arguments.volumeId);
    await tx.volumes.lock(volumeId);
    if (!(await tx.operations.finish(operation.id, null, outcome)) || resourceType !== 'attachment') return;
    await change(tx);
    await settleVolumeStatus(tx, volumeId);
  });
}

async function removeAttachment(tx: Store, id: string, volumeId: string): Promise<void> {
  const now = new Date();
  const gone = { attachStatus: disconnect.done, detachTime: now, deleted: true, deletedAt: now } as const;
  await tx.attachments.updateIf(id, {}, gone);
  const volume = await tx.volumes.get(volumeId);
  if (volume?.adminMetadata.attached_mode === undefined) return;
  const { attached_mode: _, ...others } = volume.adminMetadata;
  await tx.volumes.setAdminMetadata(volumeId, others);
}
