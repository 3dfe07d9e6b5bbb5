/** DELETE /types/{id}. */
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { announceVolumeType } from '../../service/announce.ts';
import type { ApiServices } from '../route.ts';
import { findVolumeType } from './find.ts';

/** VolumeTypeDefaultDeletionError for the default type, VolumeTypeInUse while a volume has it. */
export async function deleteVolumeType(
  { store, options }: ApiServices,
  context: RequestContext,
  id: string,
): Promise<void> {
  const type = await findVolumeType(store, context, id);
  if (type.name === options.default_volume_type) throw failure('VolumeTypeDefaultDeletionError', { id });
  if (await store.types.remove(id)) return announceVolumeType({ event: 'delete', context, row: type });
  await findVolumeType(store, context, id);
  throw failure('VolumeTypeInUse', { id, count: await store.types.countVolumes(id) });
}
