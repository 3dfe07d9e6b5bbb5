import type { VolumeStatus } from '../../model/status.ts';
import { volumeTransitions } from '../../model/status.ts';
import { defineOperation, loadVolume } from '../operation.ts';

const { during, failed, recover } = volumeTransitions.extend;

/** Grows a volume. Its earlier status comes back when it is done. */
export const extendVolume = defineOperation({
  method: 'extend_volume',
  recover,
  changesCapacity: true,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  load: (store, { operation }) => loadVolume(store, operation.resourceId, during),
  async run({ backend }, volume, { args }) {
    await backend.driver.extendVolume(await backend.toDriverVolume(volume), args.newSizeGb);
  },
  async succeed(tx, volume, _, { args }) {
    const status = (volume.previousStatus ?? 'available') as VolumeStatus;
    const changes = { status, sizeGb: args.newSizeGb, previousStatus: during };
    return (await tx.volumes.updateIf(volume.id, { status: during }, changes)) !== null;
  },
  async fail(tx, volume) {
    await tx.volumes.updateIf(volume.id, { status: during }, { status: failed });
  },
});
