/** os-complete: the initiator has logged in, the volume is in use. */

import { settleVolumeStatus } from '../../db/settle-volume.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { attachmentSteps } from '../../model/status.ts';
import { announceVolume } from '../../service/announce.ts';
import type { ApiServices } from '../route.ts';
import { findAttachment, findVolume } from './find.ts';
import { lockVolume } from './volume-status.ts';

/** Completing what is complete changes nothing. InvalidInput for an attachment that is neither reserved nor attaching. */
export async function completeAttachment({ store }: ApiServices, context: RequestContext, id: string): Promise<void> {
  const completed = await store.transaction(async (tx) => {
    const found = await findAttachment(tx, context, id);
    const volume = await lockVolume(tx, await findVolume(tx, context, found.volumeId));
    const attachment = await findAttachment(tx, context, id);
    const { from, to } = attachmentSteps.complete;
    if (attachment.attachStatus === to) return null;
    const changes = { attachStatus: to, attachTime: new Date() };
    if ((await tx.attachments.updateIf(id, { attachStatus: from }, changes)) === null) {
      const reason = `attachment ${id} is ${attachment.attachStatus}; to complete it must be ${from.join(' or ')}.`;
      throw failure('InvalidInput', { reason });
    }
    await settleVolumeStatus(tx, attachment.volumeId);
    return volume;
  });
  if (completed !== null) announceVolume(store, { event: 'attach.end', context, row: completed, reread: true });
}
