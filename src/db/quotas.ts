import { refreshPeerUsages } from './peer-usages.ts';
import { lockKey, type Session } from './session.ts';
import type { QuotaStore } from './store.ts';
import { SQL_NOW } from './time.ts';

interface LimitRow {
  readonly resource: string;
  readonly hard_limit: number | null;
}

/** Limits from quotas and quota_classes. Usage is counted; quota_usages is only kept right for a Cinder. */
export function quotaStore(session: Session): QuotaStore {
  return {
    async limits(projectId) {
      return toLimits(
        await session.rows<LimitRow>(
          'select resource, hard_limit from quotas where project_id = :projectId and deleted = false order by id',
          { projectId },
        ),
      );
    },
    async classLimits(className) {
      return toLimits(
        await session.rows<LimitRow>(
          'select resource, hard_limit from quota_classes where class_name = :className and deleted = false order by id',
          { className },
        ),
      );
    },
    setLimits: (projectId, limits) =>
      session.atomic(async (tx) => {
        await lockKey(tx, `quota:${projectId}`);
        for (const [resource, limit] of Object.entries(limits)) {
          const bindings = { projectId, resource, limit };
          const changed = await tx.rows(
            `update quotas set hard_limit = :limit, updated_at = ${SQL_NOW}
             where project_id = :projectId and resource = :resource and deleted = false returning id`,
            bindings,
          );
          if (changed.length > 0) continue;
          await tx.rows(
            `insert into quotas (project_id, resource, hard_limit, allocated, deleted, created_at)
             values (:projectId, :resource, :limit, 0, false, ${SQL_NOW})`,
            bindings,
          );
        }
      }),
    async deleteLimits(projectId) {
      await session.rows(
        `update quotas set deleted = true, deleted_at = ${SQL_NOW}
         where project_id = :projectId and deleted = false returning id`,
        { projectId },
      );
    },
    async usage(projectId) {
      const [row] = await session.rows<{ volumes: number; volume_gb: number; snapshots: number; snapshot_gb: number }>(
        `select v.count as volumes, v.size as volume_gb, s.count as snapshots, s.size as snapshot_gb
         from (select count(*) as count, coalesce(sum(size), 0) as size from volumes
                 where project_id = :projectId and deleted = false and use_quota is not false) v,
              (select count(*) as count, coalesce(sum(volume_size), 0) as size from snapshots
                 where project_id = :projectId and deleted = false and use_quota is not false) s`,
        { projectId },
      );
      return {
        volumes: row!.volumes,
        snapshots: row!.snapshots,
        volumeGb: row!.volume_gb,
        snapshotGb: row!.snapshot_gb,
      };
    },
    refreshPeerUsages: ({ noSnapshotGb }) => refreshPeerUsages(session, noSnapshotGb),
    lockProject: (projectId) => lockKey(session, `project:${projectId}`),
  };
}

function toLimits(rows: readonly LimitRow[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ resource, hard_limit }) => [resource, hard_limit ?? -1]));
}
