/** Whether two answers say the same: ids, dates and addresses may differ, their shapes and what they refer to may not. Pure. */

export interface Difference {
  /** Such as `body.volumes[0].size`, `header vary`, `status`. */
  readonly where: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** Which id of ours stands for which of theirs, learnt as they are first seen together. */
export interface Correspondence {
  readonly toTheirs: Map<string, string>;
  readonly toOurs: Map<string, string>;
}

export function newCorrespondence(): Correspondence {
  return { toTheirs: new Map(), toOurs: new Map() };
}

const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g;
const DATE = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?/g;
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/g;

/** Every difference below `where`. */
export function compareJson(ours: unknown, theirs: unknown, where: string, ids: Correspondence): Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) return compareLists(ours, theirs, where, ids);
  if (isRecord(ours) && isRecord(theirs)) {
    return [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].flatMap((key) =>
      Object.hasOwn(ours, key) && Object.hasOwn(theirs, key)
        ? compareJson(ours[key], theirs[key], `${where}.${key}`, ids)
        : [{ where: `${where}.${key}`, ours: shown(ours, key), theirs: shown(theirs, key) }],
    );
  }
  const same = typeof ours === 'string' && typeof theirs === 'string' ? sameText(ours, theirs, ids) : ours === theirs;
  return same ? [] : [{ where, ours, theirs }];
}

function compareLists(
  ours: readonly unknown[],
  theirs: readonly unknown[],
  where: string,
  ids: Correspondence,
): Difference[] {
  if (ours.length !== theirs.length) return [{ where: `${where}.length`, ours: ours.length, theirs: theirs.length }];
  const ordered = sameOrder(ours, theirs, ids);
  return [
    ...(ordered === null ? [{ where: `${where}.order`, ours: names(ours), theirs: names(theirs) }] : []),
    ...ours.flatMap((item, index) => compareJson(item, (ordered ?? theirs)[index], `${where}[]`, ids)),
  ];
}

/** Theirs, where known ids or names show the same things in another order: in ours. Null where ids say so. */
function sameOrder(
  ours: readonly unknown[],
  theirs: readonly unknown[],
  { toTheirs }: Correspondence,
): readonly unknown[] | null {
  const known = ours.map((item) => toTheirs.get(idOf(item)) ?? null);
  if (known.includes(null) || known.every((id, index) => id === idOf(theirs[index]))) return theirs;
  return null;
}

function names(items: readonly unknown[]): unknown[] {
  return items.map((item) => (isRecord(item) ? (item.name ?? item.id) : item));
}

function idOf(item: unknown): string {
  return isRecord(item) ? String(item.id) : '';
}

function sameText(ours: string, theirs: string, ids: Correspondence): boolean {
  if (ours === theirs) return true;
  if (ours.startsWith('http') && ours.includes('&')) return sameText(sortedQuery(ours), sortedQuery(theirs), ids);
  if (shape(ours) !== shape(theirs)) return false;
  const [mine, others] = [ours.match(UUID) ?? [], theirs.match(UUID) ?? []];
  return mine.every((id, index) => correspond(id, others[index]!, ids));
}

/** The order of what a link asks for says nothing. */
function sortedQuery(link: string): string {
  const [path, query = ''] = link.split('?');
  return [path, ...query.split('&').toSorted()].join(' ');
}

/** Dates keep their form: with microseconds, without. */
function shape(text: string): string {
  return text
    .replaceAll(UUID, (id) => (id.includes('-') ? '<uuid>' : '<hex>'))
    .replaceAll(DATE, (date) => date.replaceAll(/\d/g, '9'))
    .replaceAll(ADDRESS, '<root>');
}

function correspond(ours: string, theirs: string, { toTheirs, toOurs }: Correspondence): boolean {
  if (!toTheirs.has(ours) && !toOurs.has(theirs)) {
    toTheirs.set(ours, theirs);
    toOurs.set(theirs, ours);
  }
  return toTheirs.get(ours) === theirs && toOurs.get(theirs) === ours;
}

function shown(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : 'no such key';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
