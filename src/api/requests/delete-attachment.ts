/** DELETE /attachments/{id}: ends one consumer's use of a volume. */

import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Store } from '../../db/store.ts';
import type { Attachment } from '../../model/attachment.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import { attachmentTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { announceVolume } from '../../service/announce.ts';
import type { ApiServices } from '../route.ts';
import { backendOf } from './create-attachment.ts';
import { findAttachment, findVolume } from './find.ts';
import { findUnfinished, performOperation, recordOperation } from './record-operation.ts';
import { lockVolume } from './volume-status.ts';

/**
 * Answers the attachments that the volume still has. One that no backend has ever heard of goes at once; any other goes
 * by its volume service, which takes the initiator's right away first.
 */
export async function deleteAttachment(
  services: ApiServices,
  context: RequestContext,
  id: string,
): Promise<readonly Attachment[]> {
  const { store } = services;
  const found = await findAttachment(store, context, id);
  const { before, operation } = await store.transaction(async (tx) => {
    const before = await lockVolume(tx, await findVolume(tx, context, found.volumeId));
    return { before, operation: await markAndRecord(tx, context, before, id) };
  });
  if (operation !== null) await performOperation(services, context, operation);
  announceVolume(store, { event: 'detach.end', context, row: before, reread: true });
  return store.attachments.listByVolume(found.volumeId);
}

/** Null where it is gone already. */
async function markAndRecord(
  tx: Store,
  context: RequestContext,
  volume: Volume,
  id: string,
): Promise<Operation | null> {
  const attachment = await findAttachment(tx, context, id);
  if (await isUnknownToBackend(tx, attachment)) return remove(tx, attachment);
  const running = await findUnfinished(tx, id, 'attachment_delete');
  if (running !== null) return running;
  const owner = backendOf(volume);
  const { accepts, during } = attachmentTransitions.disconnect;
  // Services of another make cannot read a row with our word for one that is about to go.
  const next = (await isForeign(tx, owner)) ? {} : { attachStatus: during };
  const claimed = await tx.attachments.updateIf(id, { attachStatus: accepts }, next);
  if (claimed === null) throw failure('VolumeAttachmentNotFound', { id });
  await settleVolumeStatus(tx, volume.id);
  return recordOperation(tx, context, {
    resourceType: 'attachment',
    resourceId: id,
    method: 'attachment_delete',
    arguments: { volumeId: volume.id },
    owner,
  });
}

async function isForeign(tx: Store, host: string): Promise<boolean> {
  return (await tx.services.listForeign({ host, binary: VOLUME_TOPIC })).length > 0;
}

async function isUnknownToBackend(tx: Store, attachment: Attachment): Promise<boolean> {
  if (attachment.attachStatus !== 'reserved' || attachment.connector !== null) return false;
  // A connection that is only just asked for will be made: its owner has to take it away in its turn.
  return (await findUnfinished(tx, attachment.id, 'attachment_update')) === null;
}

/** One conditional UPDATE, and the volume is free where nobody else has it. */
async function remove(tx: Store, attachment: Attachment): Promise<Operation | null> {
  const now = new Date();
  const gone = {
    attachStatus: attachmentTransitions.disconnect.done,
    detachTime: now,
    deleted: true,
    deletedAt: now,
  };
  await tx.attachments.updateIf(attachment.id, { attachStatus: attachment.attachStatus }, gone);
  await settleVolumeStatus(tx, attachment.volumeId);
  return null;
}
