import { settleVolumeStatus } from '../../db/settle-volume.ts';
import { failure } from '../../model/errors.ts';
import { connectionRecovery } from '../../model/status.ts';
import { encodeValue } from '../../rpcapi/objects/encode.ts';
import { attachmentToObject } from '../../rpcapi/wire/models.ts';
import { defineOperation, loadVolume } from '../operation.ts';
import { loadAttachment } from './attachment-update.ts';

/** Records that a consumer uses the volume (the older attach call): no effect outside of the database. */
export const attachVolume = defineOperation({
  method: 'attach_volume',
  recover: connectionRecovery.attach,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  async load(store, { operation }) {
    const volume = await loadVolume(store, operation.resourceId);
    const usable = ['available', 'attaching', 'reserved'].includes(volume.status);
    if (!usable && !(volume.multiattach && volume.status === 'in-use')) {
      throw failure('InvalidVolume', {
        reason: `volume ${volume.id} is ${volume.status}; reserve it before attaching`,
      });
    }
    return volume;
  },
  async run() {
    return null;
  },
  async succeed(tx, volume, _, { args }) {
    await tx.volumes.lock(volume.id);
    await tx.attachments.insert({
      id: args.attachmentId,
      volumeId: volume.id,
      attachStatus: 'attached',
      instanceId: args.instanceId,
      attachedHost: args.hostName,
      mountpoint: args.mountpoint,
      attachMode: args.mode,
      attachTime: new Date(),
    });
    return await settleVolumeStatus(tx, volume.id);
  },
  async fail() {
    // Nothing was done: the caller unreserves.
  },
  async answerAgain({ store }, { args }) {
    const attachment = await loadAttachment(store, args.attachmentId, ['attached']);
    return encodeValue(attachmentToObject(attachment));
  },
});
