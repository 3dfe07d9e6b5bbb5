/** What the lists and the summary of volumes read. */
import type { ListQuery, Store, VolumeFilters } from '../../db/store.ts';
import type { Volume } from '../../model/volume.ts';
import { type Selection, selectVolumes } from '../filters.ts';
import { type Page, type QueryValues, readBoolean, readPage, readSort } from '../list-query.ts';
import type { ApiRequest } from '../route.ts';
import type { VolumeDetails } from '../views/volume.ts';

/** The API's names for what volumes can be ordered by. */
const sortKeys = {
  id: 'id',
  name: 'displayName',
  display_name: 'displayName',
  size: 'sizeGb',
  status: 'status',
  updated_at: 'updatedAt',
  availability_zone: 'availabilityZone',
  bootable: 'bootable',
  host: 'host',
  attach_status: 'attachStatus',
  migration_status: 'migrationStatus',
  volume_type_id: 'volumeTypeId',
  project_id: 'projectId',
  user_id: 'userId',
} as const;

export interface VolumePage {
  readonly volumes: readonly Volume[];
  readonly page: Page;
  /** Of all that the filters let through; null where the caller did not ask (with_count, 3.45). */
  readonly count: number | null;
}

export async function listVolumes(request: ApiRequest<unknown, QueryValues>): Promise<VolumePage> {
  const { query, version, context, services } = request;
  const { store } = services;
  const page = readPage(query, services.options.osapi_max_limit);
  const sort = readSort(query, sortKeys);
  const selection = selectVolumes(query, { version, isAdmin: context.isAdmin });
  const scope = { projectId: scopeOf(request, selection), filters: selection.filters };
  const wantsCount = version >= 45 && query.with_count !== undefined && readBoolean('with_count', query.with_count);
  if (selection.nothing) return { volumes: [], page, count: wantsCount ? 0 : null };
  const listing: ListQuery<VolumeFilters> = { ...scope, ...page, sort };
  return {
    volumes: page.limit === 0 ? [] : await store.volumes.list(listing),
    page,
    count: wantsCount ? await store.volumes.count(scope) : null,
  };
}

/** The caller's project, or where an administrator asks for it: all (null), or the one he names. */
export function scopeOf(
  { query, context }: Pick<ApiRequest<unknown, QueryValues>, 'query' | 'context'>,
  selection: Pick<Selection<unknown>, 'projectId'>,
): string | null {
  const everywhere =
    context.isAdmin && query.all_tenants !== undefined && readBoolean('all_tenants', query.all_tenants || '1');
  return everywhere ? (selection.projectId ?? null) : context.projectId;
}

/** Adds what the details of volumes show, in two reads for however many volumes. */
export async function loadDetails(store: Store, volumes: readonly Volume[]): Promise<VolumeDetails[]> {
  const ids = volumes.filter(({ attachStatus }) => attachStatus !== 'detached').map(({ id }) => id);
  const attachments =
    ids.length === 0 ? [] : await store.attachments.list({ projectId: null, filters: { volumeId: ids } });
  const byVolume = Map.groupBy(attachments, ({ volumeId }) => volumeId);
  const typeNames = new Map<string, string | null>();
  for (const typeId of new Set(volumes.map(({ volumeTypeId }) => volumeTypeId))) {
    typeNames.set(typeId, (await store.types.get(typeId))?.name ?? null);
  }
  return volumes.map((volume) => ({
    volume,
    typeName: typeNames.get(volume.volumeTypeId) ?? null,
    attachments: byVolume.get(volume.id) ?? [],
  }));
}

export async function loadDetail(store: Store, volume: Volume): Promise<VolumeDetails> {
  return (await loadDetails(store, [volume]))[0]!;
}

/** Every metadata key of the project's volumes with the values that occur, read page by page. */
export async function distinctMetadata(store: Store, projectId: string | null, pageSize: number) {
  const values = new Map<string, Set<string>>();
  let marker: string | undefined;
  for (;;) {
    const sort = [{ key: 'id', dir: 'asc' }] as const;
    const volumes = await store.volumes.list({ projectId, sort, limit: pageSize, ...(marker ? { marker } : {}) });
    for (const [key, value] of volumes.flatMap(({ metadata }) => Object.entries(metadata))) {
      values.set(key, (values.get(key) ?? new Set()).add(value));
    }
    marker = volumes.at(-1)?.id;
    if (volumes.length < pageSize) return Object.fromEntries([...values].map(([key, set]) => [key, [...set]]));
  }
}
