import { randomUUID } from 'node:crypto';
import type { Service } from '../model/service.ts';
import { type Row, serviceColumns, toService } from './rows.ts';
import { lockKey, type Session } from './session.ts';
import type { ServiceStore } from './store.ts';
import { SQL_NOW } from './time.ts';

/** A heartbeat that never was: without one, the row's creation would count. */
const SQL_NEVER = "timestamp '1970-01-01 00:00:00'";

const selection = [
  ...Object.values(serviceColumns).map((column) => `t.${column}`),
  `greatest(extract(epoch from (clock_timestamp() at time zone 'UTC') - coalesce(t.updated_at, t.created_at)), 0) as heartbeat_age`,
].join(', ');

/**
 * The services table. updated_at is the heartbeat, so nothing but a sign of life writes it; an operator's changes go to
 * modified_at, as in Cinder.
 */
export function serviceStore(session: Session): ServiceStore {
  const change = async (id: number, columns: Row) => {
    const query = session
      .knex('services as t')
      .where({ 't.id': id, 't.deleted': false })
      .update({ modified_at: session.knex.raw(SQL_NOW), ...columns })
      .returning(session.knex.raw(selection) as unknown as string);
    const [row] = await session.write<Row[]>(query as PromiseLike<Row[]>);
    return row === undefined ? null : toService(row);
  };
  const list = async (current: Session, filters: { readonly host?: string; readonly binary?: string }) => {
    const query = current.knex('services as t').where('t.deleted', false).orderBy('t.id');
    if (filters.host !== undefined) query.where('t.host', filters.host);
    if (filters.binary !== undefined) query.where('t.binary', filters.binary);
    return (await current.read<Row[]>(query.select(current.knex.raw(selection)))).map(toService);
  };
  return {
    register: (service) =>
      session.atomic(async (tx) => {
        const { host, binary } = service;
        // No constraint keeps (host, binary) single.
        await lockKey(tx, `service:${binary}:${host}`);
        const [found] = await list(tx, { host, binary });
        const columns = {
          topic: service.topic,
          availability_zone: service.availabilityZone,
          rpc_current_version: service.rpcCurrentVersion,
          object_current_version: service.objectCurrentVersion,
          ...(service.silent === true ? {} : { updated_at: tx.knex.raw(SQL_NOW) }),
        };
        const query =
          found === undefined
            ? tx.knex('services as t').insert({
                ...columns,
                ...{ host, binary, uuid: randomUUID(), report_count: 0, frozen: false, deleted: false },
                ...{ disabled: service.disabledOnCreate, created_at: tx.knex.raw(SQL_NOW) },
                ...(service.silent === true ? { updated_at: tx.knex.raw(SQL_NEVER) } : {}),
              })
            : tx
                .knex('services as t')
                .where('t.id', found.id)
                .update({ ...columns, ...(found.uuid === '' ? { uuid: randomUUID() } : {}) });
        const [row] = await tx.write<Row[]>(
          query.returning(tx.knex.raw(selection) as unknown as string) as PromiseLike<Row[]>,
        );
        const registered = toService(row!);
        await noteOurs(tx, registered, service.instance ?? randomUUID());
        return registered;
      }),
    async heartbeat(id) {
      // One statement: our count and the row's are equal unless somebody else beats.
      const rows = await session.rows(
        `with beat as (
           update services set report_count = report_count + 1, updated_at = ${SQL_NOW}
           where id = :id and deleted = false returning id, host, "binary", report_count),
         ours as (
           update ashlar_services a set report_count = beat.report_count, updated_at = ${SQL_NOW}
           from beat where a.host = beat.host and a."binary" = beat."binary")
         select id from beat`,
        { id },
      );
      return rows.length > 0;
    },
    async listForeign({ host, binary } = {}) {
      const query = session.knex('services as t').where('t.deleted', false).orderBy('t.id');
      if (host !== undefined) query.where('t.host', host);
      if (binary !== undefined) query.where('t.binary', binary);
      query.whereRaw(
        `not exists (select from ashlar_services a
           where a.host = t.host and a."binary" = t."binary" and a.report_count >= t.report_count)`,
      );
      return (await session.read<Row[]>(query.select(session.knex.raw(selection)))).map(toService);
    },
    get: async (host, binary) => (await list(session, { host, binary }))[0] ?? null,
    list: (filters = {}) => list(session, filters),
    setDisabled: (id, disabled, reason) => change(id, { disabled, disabled_reason: reason }),
    setFrozen: (id, frozen) => change(id, { frozen }),
  };
}

/** Says whose the service is; each start is a new epoch. */
async function noteOurs(tx: Session, { host, binary, reportCount }: Service, instance: string): Promise<void> {
  await tx.rows(
    `insert into ashlar_services (host, "binary", instance, epoch, report_count, started_at, updated_at)
     values (:host, :binary, :instance, 1, :reportCount, ${SQL_NOW}, ${SQL_NOW})
     on conflict (host, "binary") do update set
       instance = excluded.instance, epoch = ashlar_services.epoch + 1, report_count = excluded.report_count,
       started_at = excluded.started_at, updated_at = excluded.updated_at`,
    { host, binary, instance, reportCount },
  );
}
