import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import { statusFromAttachments, volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { defineOperation, loadVolume } from '../operation.ts';
import { isMultiattach, whyNotInPlace } from '../retype-in-place.ts';

const { during, recover } = volumeTransitions.retype;

/** Gives a volume another type where it is. What would have to move or be made anew for it is refused; it stays as it was. */
export const retype = defineOperation({
  method: 'retype',
  recover,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  load: (store, { operation }) => loadVolume(store, operation.resourceId, during),
  async run({ store }, volume, { args }) {
    const [before, after] = await Promise.all([store.types.get(volume.volumeTypeId), store.types.get(args.newTypeId)]);
    if (after === null) throw failure('VolumeTypeNotFound', { id: args.newTypeId });
    const attachments = await store.attachments.listByVolume(volume.id);
    const reason = whyNotInPlace({
      volume,
      host: args.host,
      before: before?.extraSpecs ?? {},
      after: after.extraSpecs,
      isEncrypted: volume.encryptionKeyId !== null || (await store.peers.isEncryptedType(after.id)),
      isInUse: attachments.length > 0,
    });
    if (reason !== null) throw failure('InvalidVolume', { reason: `volume ${volume.id} keeps its type: ${reason}` });
    return { volumeTypeId: after.id, multiattach: isMultiattach(after.extraSpecs) };
  },
  async succeed(tx, volume, changes) {
    return await giveBack(tx, volume, changes);
  },
  async fail(tx, volume) {
    await giveBack(tx, volume, {});
  },
});

/** The status that its attachments give it, since nothing was done to it meanwhile. */
async function giveBack(
  tx: Store,
  { id }: Volume,
  changes: { readonly volumeTypeId?: string; readonly multiattach?: boolean },
): Promise<boolean> {
  await tx.volumes.lock(id);
  const attachments = await tx.attachments.listByVolume(id);
  const { status } = statusFromAttachments(attachments.map(({ attachStatus }) => attachStatus));
  const condition = { status: during };
  return (await tx.volumes.updateIf(id, condition, { ...changes, status, previousStatus: during })) !== null;
}
