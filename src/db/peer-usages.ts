import type { Session } from './session.ts';
import { SQL_NOW } from './time.ts';

/**
 * Sets the counters of quota_usages to what the rows say. A Cinder adds and subtracts there as it works; what Ashlar
 * makes it does not see, and what it deletes for us it subtracts though nobody added it. Counted anew, nothing is
 * counted twice. A counter with an open reservation is left alone: its Cinder is between the row and the counter.
 */
export async function refreshPeerUsages(session: Session, noSnapshotGb: boolean): Promise<number> {
  const rows = await session.rows(
    `with v as (
       select project_id, volume_type_id, count(*) as n, coalesce(sum(size), 0) as gb from volumes
       where deleted = false and use_quota is not false group by 1, 2),
     s as (
       select s.project_id, v.volume_type_id, count(*) as n, coalesce(sum(s.volume_size), 0) as gb
       from snapshots s join volumes v on v.id = s.volume_id
       where s.deleted = false and s.use_quota is not false group by 1, 2),
     per_type as (
       select project_id, volume_type_id, 'volumes' as resource, n from v
       union all select project_id, volume_type_id, 'gigabytes', gb from v
       union all select project_id, volume_type_id, 'snapshots', n from s
       union all select project_id, volume_type_id, 'gigabytes', gb from s where not :noSnapshotGb),
     counted as (
       select project_id, resource, sum(n) as n from per_type group by 1, 2
       union all
       select p.project_id, p.resource || '_' || t.name, sum(p.n)
       from per_type p join volume_types t on t.id = p.volume_type_id group by 1, 2),
     differing as (
       select u.id, coalesce(c.n, 0) as n
       from quota_usages u
       left join counted c on c.project_id = u.project_id and c.resource = u.resource
       where u.deleted = false
         and (u.resource in ('volumes', 'snapshots', 'gigabytes') or u.resource ~ '^(volumes|snapshots|gigabytes)_')
         and u.in_use <> coalesce(c.n, 0)
         and not exists (select from reservations r
           where r.usage_id = u.id and r.deleted = false and r.expire > ${SQL_NOW})
       for update of u skip locked)
     update quota_usages u set in_use = d.n, updated_at = ${SQL_NOW} from differing d where u.id = d.id returning u.id`,
    { noSnapshotGb },
  );
  return rows.length;
}
