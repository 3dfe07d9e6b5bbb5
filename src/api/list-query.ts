/** Paging, order and filters of a list request, read from its query. Pure. */
import { z } from 'zod';
import { failure } from '../model/errors.ts';

/** A query as it comes: each key once or several times. The last one counts. */
export const listQuery = z
  .record(z.string(), z.union([z.string(), z.array(z.string())]))
  .transform((query) =>
    Object.fromEntries(
      Object.entries(query).map(([key, value]) => [key, typeof value === 'string' ? value : (value.at(-1) ?? '')]),
    ),
  );
export type QueryValues = Readonly<Record<string, string>>;

export interface Page {
  readonly marker?: string;
  readonly limit: number;
  readonly offset: number;
}

/** `marker`, `limit`, `offset`. A limit above `maxLimit` (osapi_max_limit) is cut to it. InvalidInput for what is no count. */
export function readPage(query: QueryValues, maxLimit: number): Page {
  const limit = query.limit === undefined ? maxLimit : Math.min(readCount('limit', query.limit), maxLimit);
  const offset = query.offset === undefined ? 0 : readCount('offset', query.offset);
  return { ...(query.marker ? { marker: query.marker } : {}), limit, offset };
}

function readCount(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw failure('InvalidInput', { reason: `${name} must be a whole number from 0 to 999999999, not '${text}'.` });
  }
  return Number(text);
}

/**
 * `sort=key:dir,key`, or the older `sort_key` and `sort_dir`. `keys` maps the API's names to the model's.
 * Without any: newest first. InvalidInput for an unknown key or direction.
 */
export function readSort<Key extends string>(
  query: QueryValues,
  keys: Readonly<Record<string, Key>>,
): { readonly key: Key | 'createdAt'; readonly dir: 'asc' | 'desc' }[] {
  const both = query.sort !== undefined && (query.sort_key !== undefined || query.sort_dir !== undefined);
  if (both)
    throw failure('InvalidInput', { reason: 'sort cannot stand beside sort_key and sort_dir. Use sort alone.' });
  const parts = (query.sort ?? `${query.sort_key ?? 'created_at'}:${query.sort_dir ?? 'desc'}`).split(',');
  return parts.map((part) => {
    const [name = '', dir = 'desc'] = part.trim().split(':');
    const key = name === 'created_at' ? 'createdAt' : Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (key === undefined) {
      throw failure('InvalidInput', {
        reason: `Cannot sort by '${name}'. Known: created_at, ${Object.keys(keys).join(', ')}.`,
      });
    }
    if (dir !== 'asc' && dir !== 'desc')
      throw failure('InvalidInput', { reason: `Sort direction '${dir}' is neither asc nor desc.` });
    return { key, dir };
  });
}

const notFilters = new Set(['marker', 'limit', 'offset', 'sort', 'sort_key', 'sort_dir', 'all_tenants', 'with_count']);

/**
 * The filters of a query. `strict` (microversion 3.31 and later, for others than administrators) refuses unknown ones;
 * otherwise they are left out.
 */
export function readFilters(
  query: QueryValues,
  allowed: readonly string[],
  strict: boolean,
): Partial<Record<string, string>> {
  const asked = Object.keys(query).filter((key) => !notFilters.has(key));
  const unknown = asked.filter((key) => !allowed.includes(key));
  if (strict && unknown.length > 0) {
    throw failure('InvalidInput', { reason: `Unknown filters: ${unknown.join(', ')}. Known: ${allowed.join(', ')}.` });
  }
  return Object.fromEntries(asked.filter((key) => allowed.includes(key)).map((key) => [key, query[key]!]));
}

/** True for the words that mean yes, false for those that mean no. InvalidInput for all else. */
export function readBoolean(name: string, text: string): boolean {
  const word = text.trim().toLowerCase();
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(word)) return true;
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(word)) return false;
  throw failure('InvalidInput', { reason: `${name} must be true or false, not '${text}'.` });
}

/** One page of what is already in memory, where marker is the id of the last item before it. */
export function pageOf<T extends { readonly id: string }>(items: readonly T[], page: Page): T[] {
  const at = page.marker === undefined ? -1 : items.findIndex((item) => item.id === page.marker);
  if (page.marker !== undefined && at === -1) {
    throw failure('NotFound', { reason: `There is no item with the marker's id ${page.marker}.` });
  }
  const start = at + 1 + page.offset;
  return items.slice(start, start + page.limit);
}

/** The `…_links` of a full page: where its next one is. Undefined for a page that was not full. */
export function nextLinks(
  url: string,
  query: QueryValues,
  items: readonly { readonly id: string }[],
  page: Page,
): { readonly rel: 'next'; readonly href: string }[] | undefined {
  const last = items.at(-1);
  if (last === undefined || items.length < page.limit) return undefined;
  const search = new URLSearchParams({ ...query, marker: last.id });
  search.delete('offset'); // the marker already stands for what was skipped
  return [{ rel: 'next', href: `${url}?${search}` }];
}
