import type { Snapshot } from '../../model/snapshot.ts';
import { selectSnapshots } from '../filters.ts';
import { type Page, type QueryValues, readBoolean, readPage, readSort } from '../list-query.ts';
import type { ApiRequest } from '../route.ts';
import { scopeOf } from './list-volumes.ts';

const oldSortKeys = {
  id: 'id',
  display_name: 'displayName',
  status: 'status',
  updated_at: 'updatedAt',
  volume_id: 'volumeId',
  volume_size: 'volumeSizeGb',
  project_id: 'projectId',
  user_id: 'userId',
} as const;
/** Since 3.30. */
const sortKeys = { ...oldSortKeys, name: 'displayName' } as const;

export interface SnapshotPage {
  readonly snapshots: readonly Snapshot[];
  readonly page: Page;
  /** Of all that the filters let through; null where the caller did not ask (with_count, 3.45). */
  readonly count: number | null;
}

export async function listSnapshots(request: ApiRequest<unknown, QueryValues>): Promise<SnapshotPage> {
  const { query, version, context, services } = request;
  const { snapshots } = services.store;
  const page = readPage(query, services.options.osapi_max_limit);
  const sort = readSort(query, version >= 30 ? sortKeys : oldSortKeys);
  const selection = selectSnapshots(query, { version, isAdmin: context.isAdmin });
  const scope = { projectId: scopeOf(request, selection), filters: selection.filters };
  const wantsCount = version >= 45 && query.with_count !== undefined && readBoolean('with_count', query.with_count);
  if (selection.nothing) return { snapshots: [], page, count: wantsCount ? 0 : null };
  return {
    snapshots: page.limit === 0 ? [] : await snapshots.list({ ...scope, ...page, sort }),
    page,
    count: wantsCount ? await snapshots.count(scope) : null,
  };
}
