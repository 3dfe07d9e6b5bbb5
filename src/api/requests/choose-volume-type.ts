/** Which type a new volume gets. */
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure, isFailure } from '../../model/errors.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import type { ApiOptions } from '../options.ts';
import { findVolumeType } from './find.ts';

/** The type asked for by name or id, else the source's, else default_volume_type. */
export async function chooseVolumeType(
  store: Store,
  context: RequestContext,
  options: Pick<ApiOptions, 'default_volume_type'>,
  asked: string | null,
  sourceTypeId: string | null,
): Promise<VolumeType> {
  const sourceType = sourceTypeId === null ? null : await store.types.get(sourceTypeId);
  if (asked === null) return sourceType ?? defaultType(store, options.default_volume_type);
  const type = await findVolumeTypeByNameOrId(store, context, asked);
  if (sourceType !== null) refuseOtherBackend(type, sourceType);
  return type;
}

/** An id goes before a name. Private types are found by those who may use them. */
export async function findVolumeTypeByNameOrId(
  store: Store,
  context: RequestContext,
  nameOrId: string,
): Promise<VolumeType> {
  const byName = async () => (await store.types.getByName(nameOrId))?.id;
  const id = (await store.types.get(nameOrId))?.id ?? (await byName());
  if (id === undefined) throw failure('VolumeTypeNotFoundByName', { name: nameOrId });
  try {
    return await findVolumeType(store, context, id);
  } catch (error) {
    // The id of a type that is hidden from the caller is no business of his.
    if (isFailure(error, 'VolumeTypeNotFound')) throw failure('VolumeTypeNotFoundByName', { name: nameOrId });
    throw error;
  }
}

async function defaultType(store: Store, name: string): Promise<VolumeType> {
  const type = await store.types.getByName(name);
  if (type !== null) return type;
  throw failure('InvalidConfigurationValue', {
    option: 'default_volume_type',
    group: 'DEFAULT',
    reason: `there is no volume type ${name}. Create it, or name one that is there.`,
  });
}

/** A copy is made by the backend that holds the source, so its type must not ask for another one. */
function refuseOtherBackend(type: VolumeType, sourceType: VolumeType): void {
  const [wanted, has] = [type, sourceType].map(({ extraSpecs }) => extraSpecs.volume_backend_name);
  if (type.id === sourceType.id || wanted === has) return;
  throw failure('InvalidInput', {
    reason:
      `the source has type ${sourceType.name} (volume_backend_name ${has ?? 'any'}), type ${type.name} asks for ` +
      `volume_backend_name ${wanted ?? 'any'}. Use a type of the same backend, and retype afterwards.`,
  });
}
