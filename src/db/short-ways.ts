/**
 * What nearly every request needs, as one statement each: several of these cost more than all else that a small request
 * does. Each does all of its work or none; where it answers that it did none, the longer way finds out why.
 */
import type { NewOperation } from '../model/operation.ts';
import { operationColumns, toColumns, toOperation, volumeColumns } from './rows.ts';
import type { Session } from './session.ts';
import type { OperationStore } from './store.ts';
import { SQL_NOW } from './time.ts';

export function shortWays(session: Session): Pick<OperationStore, 'recordForVolume' | 'finishWithVolume'> {
  return {
    async recordForVolume(operation, { volumeId, single }) {
      const columns = toColumns(operationColumns, operation);
      const values = RECORDED.map((key) => columns[operationColumns[key]] ?? null);
      const [row] = await session.often(RECORD, [...values, volumeId, single]);
      return row === undefined ? null : toOperation(row);
    },
    async finishWithVolume(id, worker, change) {
      const columns = Object.entries(toColumns(volumeColumns, change.changes));
      const sql = finishSql(columns.map(([column]) => column));
      const values = [change.volumeId, [...change.during], id, worker, ...columns.map(([, value]) => value)];
      return (await session.often(sql, values)).length > 0;
    },
  };
}

const RECORDED = [
  ...(['id', 'resourceType', 'resourceId', 'method', 'arguments'] as const),
  ...(['requestId', 'userId', 'projectId', 'context', 'owner'] as const),
] as const satisfies readonly (keyof NewOperation)[];

/** $1 id, $3 resource, $4 method, $10 owner, $11 volume, $12 whether there is one of the method at a time. */
const RECORD = `
  insert into ashlar_operations (${RECORDED.map((key) => operationColumns[key]).join(', ')}, state, attempt, created_at)
  select $1::varchar, $2::varchar, $3::varchar, $4::varchar, $5::jsonb, $6::varchar, $7::varchar, $8::varchar, $9::jsonb,
    $10::varchar, 'queued', 0, ${SQL_NOW}
  where exists (select from volumes v
      where v.id = $11::varchar and v.deleted = false and split_part(v.host, '#', 1) = $10::varchar)
    and not exists (select from ashlar_operations o where o.resource_id = $3::varchar and (o.id = $1::varchar
      or ($12::boolean and o.method = $4::varchar and o.state in ('queued', 'running'))))
  on conflict (id) do nothing
  returning ${Object.values(operationColumns).join(', ')}`;

/** $1 volume, $2 statuses, $3 record, $4 worker. The volume's row is locked first, as where they are written one by one. */
function finishSql(columns: readonly string[]): string {
  const set = columns.map((column, index) => `${column} = $${index + 5}`);
  return `
    with asked as materialized (
      select id from volumes where id = $1::varchar and deleted = false and status = any($2::varchar[]) for update),
    finished as (
      update ashlar_operations set state = 'done', result = null, finished_at = ${SQL_NOW}
      where id = $3::varchar and state = 'running' and worker = $4::varchar and exists (select from asked) returning id)
    update volumes set ${[`updated_at = ${SQL_NOW}`, ...set].join(', ')}
    where id = $1::varchar and exists (select from finished) returning id`;
}
