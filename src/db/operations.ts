import type { Operation } from '../model/operation.ts';
import { operationColumns, type Row, toColumns, toOperation } from './rows.ts';
import type { Session } from './session.ts';
import { shortWays } from './short-ways.ts';
import type { OperationStore } from './store.ts';
import { SQL_NOW } from './time.ts';

const selection = Object.values(operationColumns).join(', ');

const CLAIM = `
  update ashlar_operations set state = 'running', worker = $3::varchar, attempt = attempt + 1,
    started_at = coalesce(started_at, ${SQL_NOW})
  where id = $1 and owner = $2
    and (state = 'queued' or ($4::boolean and state = 'running' and worker is distinct from $3::varchar))
  returning ${selection}`;

/** The records of requests. Each change of state is one conditional UPDATE, so of several who try, one wins. */
export function operationStore(session: Session): OperationStore {
  const { knex } = session;
  const table = () => knex('ashlar_operations');
  const now = knex.raw(SQL_NOW);
  const change = async (query: PromiseLike<unknown>): Promise<Operation | null> => {
    const [row] = await session.write(query as PromiseLike<Row[]>);
    return row === undefined ? null : toOperation(row);
  };
  const many = async (query: PromiseLike<unknown>): Promise<Operation[]> =>
    (await session.read(query as PromiseLike<Row[]>)).map(toOperation);

  return {
    ...shortWays(session),
    async record(operation) {
      const row = { ...toColumns(operationColumns, operation), state: 'queued', attempt: 0, created_at: now };
      const query = table().insert(row).onConflict('id').ignore().returning('id');
      return (await session.write(query as PromiseLike<Row[]>)).length > 0;
    },
    async get(id) {
      return (await many(table().where({ id }).select(knex.raw(selection))))[0] ?? null;
    },
    async claim(id, owner, worker, { steal = false } = {}) {
      const [row] = await session.often(CLAIM, [id, owner, worker, steal]);
      return row === undefined ? null : toOperation(row);
    },
    handOver(id, from, to, changes = {}) {
      const query = table().where({ id, owner: from.owner });
      if (from.worker === undefined) query.where('state', 'queued');
      else query.where({ state: 'running', worker: from.worker });
      return change(
        query
          .update({ owner: to, state: 'queued', worker: null, ...toColumns(operationColumns, changes) })
          .returning(knex.raw(selection) as unknown as string),
      );
    },
    async withdraw(id, owner) {
      const query = table().where({ id, owner, state: 'queued', attempt: 0 }).delete().returning('id');
      return (await session.write(query as unknown as PromiseLike<Row[]>)).length > 0;
    },
    async finish(id, worker, outcome) {
      const columns =
        outcome.state === 'done'
          ? { state: 'done', result: outcome.result === undefined ? null : JSON.stringify(outcome.result) }
          : { state: 'failed', error: outcome.error, error_code: outcome.code };
      const query = table()
        .where({ id })
        .whereIn('state', ['queued', 'running'])
        .whereRaw('worker is not distinct from ?', [worker])
        .update({ ...columns, finished_at: now })
        .returning('id');
      return (await session.write(query as PromiseLike<Row[]>)).length > 0;
    },
    listUnfinished: (owner, limit) =>
      many(
        table()
          .where({ owner })
          .whereIn('state', ['queued', 'running'])
          .orderBy('sequence')
          .limit(limit)
          .select(knex.raw(selection)),
      ),
    listQueuedOf: (owners, limit) =>
      many(
        table()
          .whereIn('owner', [...owners])
          .where('state', 'queued')
          .orderBy('sequence')
          .limit(limit)
          .select(knex.raw(selection)),
      ),
    history: (resourceId, limit) =>
      many(
        table().where({ resource_id: resourceId }).orderBy('sequence', 'desc').limit(limit).select(knex.raw(selection)),
      ),
    historyOfVolume: (volumeId, limit) =>
      many(
        table()
          .whereRaw("(resource_id = ? or arguments ->> 'volumeId' = ?)", [volumeId, volumeId])
          .orderBy('sequence', 'desc')
          .limit(limit)
          .select(knex.raw(selection)),
      ),
    listFailed(projectId, { limit, resourceId }) {
      const query = table().where({ state: 'failed' }).orderBy('sequence', 'desc').limit(limit);
      if (projectId !== null) query.where({ project_id: projectId });
      if (resourceId !== undefined) query.where({ resource_id: resourceId });
      return many(query.select(knex.raw(selection)));
    },
    async prune(olderThanSeconds, limit) {
      const rows = await session.rows(
        `delete from ashlar_operations where id in (
           select id from ashlar_operations
           where finished_at < ${SQL_NOW} - make_interval(secs => :olderThanSeconds)
           order by finished_at limit :limit for update skip locked) returning id`,
        { olderThanSeconds, limit },
      );
      return rows.length;
    },
  };
}
