/** Holding a volume while something about it is decided, and refusing it where it is in the wrong status. */
import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import type { VolumeStatus } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';

/** The volume as it is now, held until the transaction ends. Overtaken where it has gone meanwhile. */
export async function lockVolume(tx: Store, { id }: Pick<Volume, 'id'>): Promise<Volume> {
  const locked = await tx.volumes.lock(id);
  if (locked !== null) return locked;
  throw failure('Overtaken', { what: `Volume ${id}`, reason: 'it was deleted. Ask again.' });
}

/** `InvalidVolume` that says the status found and those that would do. */
export function wrongStatus(volume: Volume, verb: string, wanted: readonly VolumeStatus[]) {
  return failure('InvalidVolume', {
    reason: `volume ${volume.id} is ${volume.status}; to ${verb} it must be ${wanted.join(' or ')}.`,
  });
}
