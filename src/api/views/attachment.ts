/** Attachments as clients read them. Pure. */
import type { Attachment } from '../../model/attachment.ts';
import { timestamp } from './timestamp.ts';

export function attachmentSummary(attachment: Attachment) {
  return {
    id: attachment.id,
    status: attachment.attachStatus,
    instance: attachment.instanceId,
    volume_id: attachment.volumeId,
  };
}

/** With the connection information, so with the CHAP password: only for whom the attachment belongs to. */
export function attachmentDetail(attachment: Attachment) {
  return {
    ...attachmentSummary(attachment),
    // Clients expect text here: an empty one for a date that is not, the word null for a mode that nobody chose.
    attached_at: timestamp(attachment.attachTime) ?? '',
    detached_at: timestamp(attachment.detachTime) ?? '',
    attach_mode: attachment.attachMode ?? 'null',
    connection_info: attachment.connectionInfo ?? {},
  };
}
