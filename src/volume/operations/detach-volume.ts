import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Attachment } from '../../model/attachment.ts';
import { failure } from '../../model/errors.ts';
import { connectionRecovery } from '../../model/status.ts';
import { consumersLeft, disconnect, notExported } from '../export.ts';
import { defineOperation, loadVolume } from '../operation.ts';

/** Ends a consumer that attach_volume recorded; the export goes with the last one. */
export const detachVolume = defineOperation({
  method: 'detach_volume',
  recover: connectionRecovery.detach,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  async load(store, { operation, args }) {
    const volume = await loadVolume(store, operation.resourceId);
    const attachments = await store.attachments.listByVolume(volume.id);
    return { volume, attachments, attachment: choose(volume.id, attachments, args.attachmentId) };
  },
  async run(context, { volume, attachments, attachment }) {
    // One that is gone already leaves everybody else where they are.
    const left = consumersLeft(attachments, { attachmentId: attachment?.id ?? '' });
    const last = left.length === 0;
    if (last) await disconnect(context, volume, { connector: null, last });
    return { last };
  },
  async succeed(tx, { volume, attachment }, { last }) {
    await tx.volumes.lock(volume.id);
    const now = new Date();
    const gone = { attachStatus: 'detached', deleted: true, deletedAt: now, detachTime: now } as const;
    if (attachment !== null) await tx.attachments.updateIf(attachment.id, {}, gone);
    return await settleVolumeStatus(tx, volume.id, last ? notExported : {});
  },
  async fail(tx, { volume, attachment }) {
    if (attachment === null) return;
    await tx.volumes.lock(volume.id);
    await tx.attachments.updateIf(attachment.id, {}, { attachStatus: 'error_detaching' });
    await settleVolumeStatus(tx, volume.id);
  },
  answer: () => null,
});

/** The attachment named, or the only one; null where there is none any more, which makes a repetition harmless. */
function choose(volumeId: string, attachments: readonly Attachment[], id: string | null): Attachment | null {
  if (id !== null) return attachments.find((attachment) => attachment.id === id) ?? null;
  if (attachments.length > 1) {
    const reason = `volume ${volumeId} has ${attachments.length} attachments; name the one to end by attachment_id`;
    throw failure('InvalidVolume', { reason });
  }
  return attachments[0] ?? null;
}
