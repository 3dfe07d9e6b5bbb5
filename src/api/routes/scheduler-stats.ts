/** Pools as the scheduler knows them, and what a backend says it can do. */
import { failure } from '../../model/errors.ts';
import { listQuery, readBoolean, readFilters } from '../list-query.ts';
import { defineRoute, type Route } from '../route.ts';
import { capabilitiesView, poolDetail, poolSummary } from '../views/pool.ts';
import { VOLUME_BINARY } from '../views/service.ts';

const NAME_FILTER = 28;
const STRICT_FILTERS = 31;
const TYPE_FILTER = 35;

const getPools = defineRoute({
  method: 'GET',
  path: '/scheduler-stats/get_pools',
  admin: true,
  summary: 'List pools; with `detail` also their capacity and capabilities',
  query: listQuery,
  async handle({ services, context, version, query: { detail, ...rest } }) {
    const isDetailed = detail !== undefined && readBoolean('detail', detail);
    const allowed = version >= TYPE_FILTER ? ['name', 'volume_type'] : ['name'];
    const filters = version >= NAME_FILTER ? readFilters(rest, allowed, version >= STRICT_FILTERS) : {};
    const pools = await services.scheduler.getPools(context, filters);
    const asked = pools.filter(({ name }) => filters.name === undefined || name === filters.name);
    return { status: 200, body: { pools: asked.map(isDetailed ? poolDetail : poolSummary) } };
  },
});

const capabilities = defineRoute({
  method: 'GET',
  path: '/capabilities/:host',
  admin: true,
  summary: 'Show what the backend of a volume service can do',
  async handle({ services, context, params }) {
    const host = params.host!;
    if ((await services.store.services.get(host, VOLUME_BINARY)) === null) {
      throw failure('ServiceNotFound', { binary: VOLUME_BINARY, host });
    }
    return { status: 200, body: capabilitiesView(host, await services.volume.getCapabilities(context, host)) };
  },
});

export const schedulerStatsRoutes: readonly Route[] = [getPools, capabilities];
