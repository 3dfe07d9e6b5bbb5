/** What all lists share: project, order, keyset paging, limit. */
import type { Knex } from 'knex';
import { failure } from '../model/errors.ts';
import type { ColumnMap } from './rows.ts';
import type { Session } from './session.ts';
import type { DateRange, ListQuery } from './store.ts';
import { formatUtc } from './time.ts';

/** How one table is listed. The row itself has the alias `t`. */
export interface Listing<Filters> {
  readonly table: string;
  readonly columns: ColumnMap;
  /** What is selected, as SQL. */
  readonly selection: string;
  /** The project's column, as SQL. */
  readonly project: (query: Knex.QueryBuilder, projectId: string) => void;
  readonly filter: (query: Knex.QueryBuilder, filters: Filters) => void;
}

type Direction = 'asc' | 'desc';
interface SortColumn {
  readonly column: string;
  readonly dir: Direction;
}

/** The rows of one page. */
export async function listRows<Filters>(
  session: Session,
  listing: Listing<Filters>,
  query: ListQuery<Filters>,
): Promise<Record<string, unknown>[]> {
  const sort = sortColumns(listing.columns, query.sort ?? [{ key: 'createdAt', dir: 'desc' }]);
  const builder = matching(session, listing, query).select(session.knex.raw(listing.selection));
  if (query.marker !== undefined) startAfter(builder, listing.table, sort, query.marker);
  for (const { column, dir } of sort) builder.orderBy(`t.${column}`, dir);
  if (query.limit !== undefined) builder.limit(query.limit);
  if (query.offset !== undefined && query.offset > 0) builder.offset(query.offset);
  const rows = await session.read<Record<string, unknown>[]>(builder);
  if (rows.length === 0 && query.marker !== undefined) await refuseUnknownMarker(session, listing, query);
  return rows;
}

/** All rows that the project and the filters leave. */
export function matching<Filters>(
  session: Session,
  listing: Listing<Filters>,
  query: Pick<ListQuery<Filters>, 'projectId' | 'filters'>,
): Knex.QueryBuilder {
  const builder = session.knex(`${listing.table} as t`).where('t.deleted', false);
  if (query.projectId !== null) listing.project(builder, query.projectId);
  if (query.filters !== undefined) listing.filter(builder, query.filters);
  return builder;
}

/** One value or any of several; undefined does not narrow. */
export function oneOf(query: Knex.QueryBuilder, column: string, value: unknown): void {
  if (value === undefined) return;
  if (Array.isArray(value)) query.whereIn(column, value);
  else query.where(column, value as Knex.Value);
}

/** `value` as a part of the column's text, wildcards being ordinary characters. */
export function containing(query: Knex.QueryBuilder, column: string, value: string | undefined): void {
  if (value !== undefined) query.whereRaw('strpos(??, ?) > 0', [column, value]);
}

/** `host@backend` finds the volumes of all its pools, `host@backend#pool` those of one. */
export function onBackend(query: Knex.QueryBuilder, column: string, host: string): void {
  query.whereRaw("(?? = ? or starts_with(??, ? || '#'))", [column, host, column, host]);
}

export function within(query: Knex.QueryBuilder, column: string, range: DateRange | undefined): void {
  const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '<>' } as const;
  for (const [name, operator] of Object.entries(operators)) {
    const date = range?.[name as keyof DateRange];
    if (date !== undefined) query.where(column, operator, formatUtc(date));
  }
}

/** Each of the pairs is in the metadata table. */
export function havingMetadata(
  query: Knex.QueryBuilder,
  table: { readonly name: string; readonly owner: string },
  metadata: Readonly<Record<string, string>> | undefined,
): void {
  for (const [key, value] of Object.entries(metadata ?? {})) {
    query.whereRaw('exists (select from ?? m where m.?? = t.id and m.deleted = false and m.key = ? and m.value = ?)', [
      table.name,
      table.owner,
      key,
      value,
    ]);
  }
}

/** `id` comes last, in the direction of the key before it, so that the order is total. */
function sortColumns(
  columns: ColumnMap,
  sort: readonly { readonly key: string; readonly dir: Direction }[],
): SortColumn[] {
  const result: SortColumn[] = [];
  for (const { key, dir } of sort) {
    if (!Object.hasOwn(columns, key)) {
      const known = Object.keys(columns).join(', ');
      throw failure('InvalidInput', { reason: `Cannot sort by ${key}. Sort by one of ${known}.` });
    }
    result.push({ column: columns[key]!, dir });
    if (key === 'id') return result;
  }
  return [...result, { column: 'id', dir: result.at(-1)?.dir ?? 'desc' }];
}

/**
 * Rows after the marker's in this order. The marker's values stay in the database, with all their digits; a marker that
 * was deleted since its page was read still has its place. NULL counts as the greatest value, as the server orders it.
 */
function startAfter(builder: Knex.QueryBuilder, table: string, sort: readonly SortColumn[], marker: string): void {
  builder.joinRaw('join ?? as k on k.id = ?', [table, marker]);
  const alternatives = sort.map(({ column, dir }, index) => {
    const equal = sort
      .slice(0, index)
      .map((before) => `t."${before.column}" is not distinct from k."${before.column}"`);
    const [t, k] = [`t."${column}"`, `k."${column}"`];
    const after =
      dir === 'asc'
        ? `(${t} > ${k} or (${t} is null and ${k} is not null))`
        : `(${t} < ${k} or (${k} is null and ${t} is not null))`;
    return [...equal, after].join(' and ');
  });
  builder.whereRaw(`((${alternatives.join(') or (')}))`);
}

async function refuseUnknownMarker<Filters>(
  session: Session,
  listing: Listing<Filters>,
  query: ListQuery<Filters>,
): Promise<void> {
  const builder = session.knex(`${listing.table} as t`).where('t.id', query.marker!).select('t.id');
  if (query.projectId !== null) listing.project(builder, query.projectId);
  if ((await session.read<unknown[]>(builder)).length > 0) return;
  throw failure('NotFound', { reason: `The marker ${query.marker} is not known. Begin again without one.` });
}
