import { settleVolumeStatus } from '../../db/settle-volume.ts';
import { attachmentTransitions } from '../../model/status.ts';
import { consumersLeft, disconnect, notExported } from '../export.ts';
import { defineOperation, loadVolume } from '../operation.ts';
import { loadAttachment } from './attachment-update.ts';

/** A peer says nothing in the row before it asks; our own API says `detaching`. */
const { accepts, done, failed, recover } = attachmentTransitions.disconnect;

/** Ends one consumer's connection, and the export with the last one. */
export const attachmentDelete = defineOperation({
  method: 'attachment_delete',
  recover,
  locks: ({ args }) => [`volume:${args.volumeId}`],
  async load(store, { operation, args }) {
    const attachment = await loadAttachment(store, operation.resourceId, accepts);
    return { attachment, volume: await loadVolume(store, args.volumeId) };
  },
  async run(context, { attachment, volume }) {
    const others = consumersLeft(await context.store.attachments.listByVolume(volume.id), {
      attachmentId: attachment.id,
    });
    const last = others.length === 0;
    const shared = others.some(({ connector }) => connector?.initiator === attachment.connector?.initiator);
    if (last || !shared) await disconnect(context, volume, { connector: attachment.connector, last });
    return { last };
  },
  async succeed(tx, { attachment, volume }, { last }) {
    await tx.volumes.lock(volume.id);
    const now = new Date();
    const gone = { attachStatus: done, deleted: true, deletedAt: now, detachTime: now } as const;
    const updated = await tx.attachments.updateIf(attachment.id, { attachStatus: accepts }, gone);
    return updated !== null && (await settleVolumeStatus(tx, volume.id, last ? notExported : {}));
  },
  async fail(tx, { attachment, volume }) {
    await tx.volumes.lock(volume.id);
    await tx.attachments.updateIf(attachment.id, { attachStatus: accepts }, { attachStatus: failed });
    await settleVolumeStatus(tx, volume.id);
  },
  answer: () => null,
});
