/** Extra specs of a type: what a volume was placed by must not change under it, so only while no volume has the type. */
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { ApiServices } from '../route.ts';
import { findVolumeType } from './find.ts';

/** Adds or replaces the given ones. VolumeTypeInUse while a volume has the type. */
export async function setExtraSpecs(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  specs: Readonly<Record<string, string>>,
): Promise<void> {
  await store.transaction(async (tx) => {
    await findUnused(tx, context, id);
    await tx.types.setExtraSpecs(id, specs);
  });
}

/** VolumeTypeExtraSpecsNotFound for a key that is not there; VolumeTypeInUse while a volume has the type. */
export async function deleteExtraSpec(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  key: string,
): Promise<void> {
  await store.transaction(async (tx) => {
    await findUnused(tx, context, id);
    if (!(await tx.types.deleteExtraSpec(id, key))) throw failure('VolumeTypeExtraSpecsNotFound', { id, key });
  });
}

async function findUnused(tx: Store, context: RequestContext, id: string): Promise<void> {
  await findVolumeType(tx, context, id);
  const count = await tx.types.countVolumes(id);
  if (count > 0) throw failure('VolumeTypeInUse', { id, count });
}
