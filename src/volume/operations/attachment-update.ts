import { followsAttachments, settleVolumeStatus } from '../../db/settle-volume.ts';
import type { Store } from '../../db/store.ts';
import type { ConnectionInfo } from '../../driver/target.ts';
import type { Attachment } from '../../model/attachment.ts';
import type { Connector } from '../../model/connector.ts';
import { failure, isFailure } from '../../model/errors.ts';
import { attachmentTransitions } from '../../model/status.ts';
import { connect } from '../export.ts';
import { defineOperation, loadVolume } from '../operation.ts';

const { accepts, done, failed, recover } = attachmentTransitions.connect;

/** Exports the volume to the attachment's connector and answers how to connect. */
export const attachmentUpdate = defineOperation({
  method: 'attachment_update',
  recover,
  locks: ({ args }) => [`volume:${args.volumeId}`],
  async load(store, { operation, args }) {
    const attachment = await loadAttachment(store, operation.resourceId, accepts);
    const volume = await loadVolume(store, args.volumeId);
    if (!(followsAttachments as readonly string[]).includes(volume.status)) {
      throw failure('Overtaken', { what: `Volume ${volume.id}`, reason: `its status is ${volume.status}` });
    }
    return { attachment, volume };
  },
  async run(context, { attachment, volume }, { args }) {
    const { exported, info } = await connect(context, volume, args.connector as Connector);
    return { exported, connectionInfo: connectionInfo(attachment, info) };
  },
  async succeed(tx, { attachment, volume }, result, { args }) {
    const connector = args.connector as Connector;
    await tx.volumes.lock(volume.id);
    const updated = await tx.attachments.updateIf(
      attachment.id,
      { attachStatus: accepts },
      {
        attachStatus: done,
        connector,
        connectionInfo: result.connectionInfo,
        attachedHost: connector.host ?? null,
        mountpoint: connector.mountpoint ?? attachment.mountpoint,
      },
    );
    const { providerLocation } = result.exported;
    return updated !== null && (await settleVolumeStatus(tx, volume.id, { providerLocation }));
  },
  async fail(tx, { attachment, volume }, { args }, error) {
    await tx.volumes.lock(volume.id);
    if (args.created) {
      await tx.attachments.updateIf(
        attachment.id,
        { attachStatus: accepts },
        { attachStatus: 'deleted', deleted: true, deletedAt: new Date() },
      );
    } else if (!isFailure(error, 'InvalidConnector')) {
      await tx.attachments.updateIf(attachment.id, { attachStatus: accepts }, { attachStatus: failed });
    }
    await settleVolumeStatus(tx, volume.id);
  },
  answer: (result) => result.connectionInfo,
  async answerAgain({ store }, { operation }) {
    const { connectionInfo, attachStatus } = await loadAttachment(store, operation.resourceId, [
      'attaching',
      'attached',
    ]);
    if (connectionInfo !== null) return connectionInfo;
    throw failure('Overtaken', {
      what: `Attachment ${operation.resourceId}`,
      reason: `it is ${attachStatus} without a connection`,
    });
  },
});

export async function loadAttachment(
  store: Store,
  id: string,
  statuses: readonly Attachment['attachStatus'][],
): Promise<Attachment> {
  const attachment = await store.attachments.get(id);
  if (attachment === null) throw failure('VolumeAttachmentNotFound', { id });
  if (!statuses.includes(attachment.attachStatus)) {
    throw failure('Overtaken', { what: `Attachment ${id}`, reason: `its status is ${attachment.attachStatus}` });
  }
  return attachment;
}

/** Flat, with the two keys that tell the consumer what it is: the form of volume_attachment.connection_info. */
function connectionInfo(attachment: Attachment, info: ConnectionInfo): Record<string, unknown> {
  return {
    ...info.data,
    access_mode: attachment.attachMode ?? 'rw',
    encrypted: false,
    qos_specs: null,
    driver_volume_type: info.driver_volume_type,
    attachment_id: attachment.id,
  };
}
