import { type Client, path } from '../../client.ts';
import { orNull } from '../../names.ts';
import type { VolumeJson } from '../../resources.ts';
import type { Work } from '../settle.ts';

/** The volume as it is now, null when it is gone. */
export async function readVolume(client: Client, id: string): Promise<VolumeJson | null> {
  const answer = await orNull(client.get<{ volume: VolumeJson }>(path`/volumes/${id}`));
  return answer?.volume ?? null;
}

/** Work on a volume, to be waited for. */
export function volumeWork(client: Client, volume: VolumeJson, during: readonly string[]): Work<VolumeJson> {
  return { noun: 'volume', resource: volume, during, read: () => readVolume(client, volume.id) };
}
