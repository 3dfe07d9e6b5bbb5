import { type Client, path } from '../../client.ts';
import { orNull } from '../../names.ts';
import type { VolumeJson } from '../../resources.ts';
import type { Work } from '../settle.ts';

/** The volume as it is now, null when it is gone. */
export async function readVolume(client: Client, id: string): Promise<VolumeJson | null> {
  return await orNull(client.get<VolumeJson>(path`/volumes/${id}`, 'volume'));
}

/** Work on a volume, to be waited for. */
export function volumeWork(client: Client, volume: VolumeJson, during: readonly string[]): Work<VolumeJson> {
  return { noun: 'volume', resource: volume, during, read: () => readVolume(client, volume.id) };
}
