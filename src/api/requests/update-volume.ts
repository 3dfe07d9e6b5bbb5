/** PUT /volumes/{id}, os-set_bootable, os-update_readonly_flag: changes that need no backend. */
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Volume, VolumeChanges } from '../../model/volume.ts';
import type { ApiServices } from '../route.ts';
import { findVolume } from './find.ts';
import { lockVolume, wrongStatus } from './volume-status.ts';

/** Metadata, where given, takes the place of all there was. */
export async function updateVolume(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  changes: Pick<VolumeChanges, 'displayName' | 'displayDescription' | 'bootable'>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Volume> {
  return store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    refuseMaintenance(volume);
    if (Object.keys(changes).length > 0) await tx.volumes.updateIf(id, {}, changes);
    if (metadata !== undefined) await tx.volumes.setMetadata(id, metadata, 'replace');
    return findVolume(tx, context, id);
  });
}

/** Whether consumers may only read. */
export async function updateReadonly(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  readonly: boolean,
): Promise<void> {
  await store.transaction(async (tx) => {
    const volume = await lockVolume(tx, await findVolume(tx, context, id));
    if (volume.status !== 'available') throw wrongStatus(volume, 'change its readonly flag', ['available']);
    await tx.volumes.setAdminMetadata(id, { ...volume.adminMetadata, readonly: readonly ? 'True' : 'False' });
  });
}

export function refuseMaintenance({ id, status }: Volume): void {
  if (status !== 'maintenance') return;
  throw failure('InvalidVolume', { reason: `volume ${id} is in maintenance. Wait until it is over.` });
}
