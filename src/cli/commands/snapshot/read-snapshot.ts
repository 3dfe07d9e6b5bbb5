import { type Client, path } from '../../client.ts';
import { orNull } from '../../names.ts';
import type { SnapshotJson } from '../../resources.ts';
import type { Work } from '../settle.ts';

/** Work on a snapshot, to be waited for. */
export function snapshotWork(client: Client, snapshot: SnapshotJson, during: readonly string[]): Work<SnapshotJson> {
  return {
    noun: 'snapshot',
    resource: snapshot,
    during,
    read: () => orNull(client.get<SnapshotJson>(path`/snapshots/${snapshot.id}`, 'snapshot')),
  };
}
