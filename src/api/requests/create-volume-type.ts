/** POST /types. */
import { randomUUID } from 'node:crypto';
import { failure } from '../../model/errors.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import type { ApiServices } from '../route.ts';

export interface CreateVolumeType {
  readonly name: string;
  readonly description: string | null;
  readonly isPublic: boolean;
  readonly extraSpecs: Readonly<Record<string, string>>;
}

/** VolumeTypeExists for a name that is taken. */
export async function createVolumeType({ store }: ApiServices, input: CreateVolumeType): Promise<VolumeType> {
  return store.transaction(async (tx) => {
    if ((await tx.types.getByName(input.name)) !== null) throw failure('VolumeTypeExists', { name: input.name });
    return tx.types.insert({ id: randomUUID(), ...input });
  });
}
