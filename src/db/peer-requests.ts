import { randomUUID } from 'node:crypto';
import { eventOf, MESSAGE_TTL_SECONDS } from '../model/user-message.ts';
import type { RowChange } from '../rpcapi/wire/aftermath.ts';
import type { Session } from './session.ts';
import type { PeerStore } from './store.ts';
import { SQL_NOW } from './time.ts';

/**
 * Tables that a peer keeps and reads beside the ones that hold volumes: reservations and usage of quota, its users'
 * messages, the statuses that it set before it asked for something. Without a peer's rows nothing changes here.
 */
export function peerStore(session: Session): PeerStore {
  return {
    settleReservations: (ids, outcome) =>
      ids.length === 0 ? Promise.resolve(0) : session.atomic((tx) => settleReservations(tx, ids, outcome)),
    async freeUsage(projectId, { volumes, snapshots, gb, volumeTypeId }) {
      if (projectId === null) return;
      await session.rows(FREE, { projectId, volumes, snapshots, gb, volumeTypeId });
    },
    async addMessage(message, { projectId, requestId }) {
      // The column takes no null, and nobody could read such a message.
      if (projectId === null) return;
      await session.rows(ADD_MESSAGE, {
        ...message,
        ...{ id: randomUUID(), projectId, requestId, eventId: eventOf(message), ttl: MESSAGE_TTL_SECONDS },
      });
    },
    giveBack: (changes) =>
      session.atomic(async (tx) => {
        let changed = 0;
        for (const change of changes) changed += await changeRows(tx, change);
        return changed;
      }),
    async reasonOf(resourceId, requestId) {
      const sql = `select detail_id from messages where resource_uuid = :resourceId and request_id = :requestId
        and deleted is not true order by created_at desc limit 1`;
      const [row] = await session.rows<{ detail_id: string | null }>(sql, { resourceId, requestId });
      return row?.detail_id ?? null;
    },
    async isEncryptedType(volumeTypeId) {
      const sql = 'select 1 as one from encryption where volume_type_id = :volumeTypeId and deleted = false limit 1';
      return (await session.rows(sql, { volumeTypeId })).length > 0;
    },
    async wasBegun(resourceId) {
      const sql = 'select 1 as one from workers where resource_id = :resourceId and deleted is not true limit 1';
      return (await session.rows(sql, { resourceId })).length > 0;
    },
  };
}

const ADD_MESSAGE = `
  insert into messages (id, project_id, request_id, resource_type, resource_uuid, event_id, message_level, action_id,
    detail_id, created_at, expires_at, deleted)
  values (:id, :projectId, :requestId, :resourceType, :resourceId, :eventId, 'ERROR', :actionId, :detailId, ${SQL_NOW},
    ${SQL_NOW} + make_interval(secs => :ttl), false)`;

/** Only what is left undecided is changed, so the same reservations settled twice count once. */
async function settleReservations(
  tx: Session,
  ids: readonly string[],
  outcome: 'commit' | 'rollback',
): Promise<number> {
  // Peers lock usages before reservations, by id; in that order nobody waits for the other in a circle.
  const bindings = { ids: [...ids] };
  await tx.rows(
    `select id from quota_usages where id in (select usage_id from reservations where uuid = any(:ids))
     order by id for update`,
    bindings,
  );
  const settled = await tx.rows<{ usage_id: number | null; delta: number }>(
    `update reservations set deleted = true, deleted_at = ${SQL_NOW}
     where uuid = any(:ids) and deleted = false returning usage_id, delta`,
    bindings,
  );
  for (const { usage_id: id, delta } of settled) {
    if (id === null) continue;
    // A reservation of less was never counted as reserved.
    const reserved = Math.max(0, delta);
    const used = outcome === 'commit' ? delta : 0;
    await tx.rows(
      `update quota_usages set reserved = greatest(reserved - :reserved, 0), in_use = greatest(in_use + :used, 0),
         updated_at = ${SQL_NOW} where id = :id`,
      { id, reserved, used },
    );
  }
  return settled.length;
}

/** In total and per type, where a peer keeps count of it. */
const FREE = `
  update quota_usages u set in_use = greatest(u.in_use - freed.n, 0), updated_at = ${SQL_NOW}
  from (select k.kind || suffix as resource, k.n
      from (select '' as suffix union all select '_' || t.name from volume_types t where t.id = :volumeTypeId) s,
        (values ('volumes', :volumes::int), ('snapshots', :snapshots::int), ('gigabytes', :gb::int)) k(kind, n)
      where k.n > 0) freed
  where u.project_id = :projectId and u.deleted is not true and u.resource = freed.resource`;

async function changeRows(tx: Session, { table, key, id, column, from, to }: RowChange): Promise<number> {
  const computed = typeof to === 'string' ? '?' : SQL_STATUS[to.computed];
  const query = tx
    .knex(`${table} as t`)
    .where(`t.${key}`, id)
    .whereIn(`t.${column}`, [...from])
    .whereRaw('t.deleted is not true')
    .update({
      [column]: tx.knex.raw(computed, typeof to === 'string' ? [to] : []),
      updated_at: tx.knex.raw(SQL_NOW),
    });
  return await tx.write<number>(query as PromiseLike<number>);
}

const USED_OR_NOT = `(case when exists (select from volume_attachment a where a.volume_id = t.id and a.deleted is not true
  and a.attach_status = 'attached') then 'in-use' else 'available' end)`;

const SQL_STATUS = {
  'unused or in-use': USED_OR_NOT,
  previous: `(case when t.previous_status in ('available', 'in-use', 'error') then t.previous_status else ${USED_OR_NOT} end)`,
} as const;
