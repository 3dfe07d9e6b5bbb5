/** Filters of the lists of volumes and snapshots, from their query. Pure. */
import type { DateRange, SnapshotFilters, VolumeFilters } from '../db/store.ts';
import { failure } from '../model/errors.ts';
import type { SnapshotStatus, VolumeStatus } from '../model/status.ts';
import { type QueryValues, readBoolean, readFilters } from './list-query.ts';
import { parseTextDict } from './python-literal.ts';
import type { Microversion } from './route.ts';

export interface Reader {
  readonly version: Microversion;
  readonly isAdmin: boolean;
}

/** `nothing`: the filters ask for what no item has. `projectId` stands where an administrator names one. */
export interface Selection<Filters> {
  readonly filters: Filters;
  readonly nothing: boolean;
  readonly projectId?: string;
}

/** What everybody may filter by; GET /resource_filters shows it. */
export const resourceFilters = {
  volume: [
    'name',
    'name~',
    'status',
    'metadata',
    'bootable',
    'migration_status',
    'availability_zone',
    'group_id',
    'size',
    'created_at',
    'updated_at',
    'consumes_quota',
  ],
  snapshot: ['name', 'name~', 'status', 'volume_id', 'metadata', 'availability_zone', 'consumes_quota'],
} as const;

const adminFilters = {
  volume: [
    'id',
    'host',
    'multiattach',
    'volume_type_id',
    'source_volid',
    'snapshot_id',
    'attach_status',
    'project_id',
    'user_id',
    'display_name',
    'glance_metadata',
  ],
  snapshot: ['id', 'project_id', 'display_name'],
} as const;

/** Since 3.31 every filter is heard; one of these before it only since its own version, else it is left out. */
const ALL_HEARD = 31;
const heardSince: Readonly<Record<string, Microversion>> = {
  glance_metadata: 4,
  group_id: 10,
  created_at: ALL_HEARD,
  updated_at: ALL_HEARD,
  consumes_quota: ALL_HEARD,
  'name~': ALL_HEARD,
};

export function selectVolumes(query: QueryValues, reader: Reader): Selection<VolumeFilters> {
  const asked = heard('volume', query, reader);
  const filters: VolumeFilters = withoutUndefined({
    id: asked.id,
    name: asked.name ?? asked.display_name,
    nameLike: asked['name~'],
    status: asked.status as VolumeStatus | undefined,
    host: asked.host,
    availabilityZone: asked.availability_zone,
    bootable: map(asked.bootable, (text) => readBootable(text, reader.version)),
    multiattach: map(asked.multiattach, (text) => readBoolean('multiattach', text)),
    volumeTypeId: asked.volume_type_id,
    userId: asked.user_id,
    sourceVolumeId: asked.source_volid,
    snapshotId: asked.snapshot_id,
    attachStatus: asked.attach_status,
    migrationStatus: asked.migration_status,
    sizeGb: map(asked.size, readSize),
    createdAt: map(asked.created_at, (text) => readDateRange('created_at', text)),
    updatedAt: map(asked.updated_at, (text) => readDateRange('updated_at', text)),
    metadata: map(asked.metadata, readMetadata),
  });
  return {
    filters,
    // Nothing is in a group and nothing was made from an image yet.
    nothing: asked.group_id !== undefined || asked.glance_metadata !== undefined || asksForNoQuota(asked),
    ...(asked.project_id === undefined ? {} : { projectId: asked.project_id }),
  };
}

export function selectSnapshots(query: QueryValues, reader: Reader): Selection<SnapshotFilters> {
  const asked = heard('snapshot', query, reader);
  const filters: SnapshotFilters = withoutUndefined({
    id: asked.id,
    name: asked.name ?? asked.display_name,
    nameLike: asked['name~'],
    status: asked.status as SnapshotStatus | undefined,
    volumeId: asked.volume_id,
    availabilityZone: asked.availability_zone,
    metadata: reader.version < 22 ? undefined : map(asked.metadata, readMetadata),
  });
  return {
    filters,
    nothing: asksForNoQuota(asked),
    ...(asked.project_id === undefined ? {} : { projectId: asked.project_id }),
  };
}

function heard(kind: 'volume' | 'snapshot', query: QueryValues, { version, isAdmin }: Reader) {
  const known: readonly string[] = isAdmin ? [...resourceFilters[kind], ...adminFilters[kind]] : resourceFilters[kind];
  // To an administrator a filter that is not there is always said: before 3.31 a misspelt one would show everything.
  const asked = readFilters(query, known, isAdmin || version >= ALL_HEARD);
  return Object.fromEntries(Object.entries(asked).filter(([name]) => version >= (heardSince[name] ?? 0))) as Readonly<
    Partial<Record<string, string>>
  >;
}

/** Everything counts towards the quota. */
function asksForNoQuota(asked: Readonly<Partial<Record<string, string>>>): boolean {
  return asked.consumes_quota !== undefined && !readBoolean('consumes_quota', asked.consumes_quota);
}

/** Before 3.2 every word but those for false meant true. */
function readBootable(text: string, version: Microversion): boolean {
  return version >= 2 ? readBoolean('bootable', text) : !['false', '0'].includes(text.toLowerCase());
}

function readSize(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw failure('InvalidInput', { reason: `size must be a whole number, not '${text}'` });
  return Number(text);
}

function readMetadata(text: string): Readonly<Record<string, string>> {
  const metadata = parseTextDict(text);
  if (metadata !== null) return metadata;
  throw failure('InvalidInput', { reason: `metadata must look like {'key': 'value'}, not '${text}'` });
}

const operators = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;

/** `gt:2026-01-01T00:00:00,lt:…`. A time without a zone is UTC. */
function readDateRange(name: string, text: string): DateRange {
  const range: Partial<Record<keyof DateRange, Date>> = {};
  for (const part of text.split(',')) {
    const colon = part.indexOf(':');
    const operator = operators.find((it) => it === part.slice(0, colon).trim());
    if (operator === undefined) {
      throw failure('InvalidInput', { reason: `${name}: '${part}' starts with none of ${operators.join(', ')}` });
    }
    range[operator] = readDate(name, part.slice(colon + 1).trim());
  }
  return range;
}

function readDate(name: string, text: string): Date {
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  const isDateTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i.test(text);
  const time = isDateTime ? Date.parse(text.includes(':') && !hasZone ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(time)) throw failure('InvalidInput', { reason: `${name}: '${text}' is not an ISO 8601 time` });
  return new Date(time);
}

function map<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
