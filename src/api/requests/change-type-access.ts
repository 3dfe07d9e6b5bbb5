/** Which projects may use a private volume type. */
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import type { ApiServices } from '../route.ts';
import { findVolumeType } from './find.ts';

/** InvalidVolumeType for a public type, VolumeTypeAccessExists where the project may already. */
export async function addTypeAccess(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  projectId: string,
): Promise<void> {
  await store.transaction(async (tx) => {
    await findPrivateType(tx, context, id);
    if ((await tx.types.listAccess(id)).includes(projectId)) throw failure('VolumeTypeAccessExists', { id, projectId });
    await tx.types.addAccess(id, projectId);
  });
}

/** VolumeTypeAccessNotFound where the project may not use it anyway. */
export async function removeTypeAccess(
  { store }: ApiServices,
  context: RequestContext,
  id: string,
  projectId: string,
): Promise<void> {
  await store.transaction(async (tx) => {
    await findPrivateType(tx, context, id);
    if (!(await tx.types.removeAccess(id, projectId))) throw failure('VolumeTypeAccessNotFound', { id, projectId });
  });
}

async function findPrivateType(tx: Store, context: RequestContext, id: string): Promise<VolumeType> {
  const type = await findVolumeType(tx, context, id);
  if (!type.isPublic) return type;
  throw failure('InvalidVolumeType', { reason: `type ${type.name} is public: every project may use it already.` });
}
