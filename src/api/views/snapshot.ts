/** Snapshots as clients read them, by microversion. Pure. */
import type { Snapshot } from '../../model/snapshot.ts';
import type { Microversion } from '../route.ts';
import { timestamp } from './timestamp.ts';

/** What lists without detail show. */
export function snapshotSummary(snapshot: Snapshot) {
  return {
    id: snapshot.id,
    created_at: timestamp(snapshot.createdAt),
    updated_at: timestamp(snapshot.updatedAt),
    name: snapshot.displayName,
    description: snapshot.displayDescription,
    volume_id: snapshot.volumeId,
    status: snapshot.status,
    size: snapshot.volumeSizeGb,
    metadata: snapshot.metadata,
  };
}

/** What the answer to a create, and an update, shows. */
export function snapshotDetail(snapshot: Snapshot, version: Microversion) {
  return {
    ...snapshotSummary(snapshot),
    ...(version >= 14 ? { group_snapshot_id: snapshot.groupSnapshotId } : {}),
    ...(version >= 41 ? { user_id: snapshot.userId } : {}),
    ...(version >= 65 ? { consumes_quota: snapshot.useQuota } : {}),
  };
}

/** What show and detailed lists show. */
export function snapshotFull(snapshot: Snapshot, version: Microversion) {
  return {
    ...snapshotDetail(snapshot, version),
    'os-extended-snapshot-attributes:project_id': snapshot.projectId,
    'os-extended-snapshot-attributes:progress': snapshot.progress,
  };
}
