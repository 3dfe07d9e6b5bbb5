/** What clients ask for to learn what is served: extensions and filters. */
import { failure } from '../../model/errors.ts';
import { resourceFilters } from '../filters.ts';
import { listQuery } from '../list-query.ts';
import { defineRoute, type Route } from '../route.ts';
import { extensions, extensionView } from '../views/extension.ts';

const FILTER_CONFIG = 33;

const list = defineRoute({
  method: 'GET',
  path: '/extensions',
  summary: 'List the extensions of the API that are served',
  async handle() {
    return { status: 200, body: { extensions: extensions.map(extensionView) } };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/extensions/:alias',
  summary: 'Show an extension',
  async handle({ params }) {
    const extension = extensions.find(({ alias }) => alias === params.alias);
    if (extension === undefined) throw failure('NotFound', { reason: `There is no extension ${params.alias}.` });
    return { status: 200, body: { extension: extensionView(extension) } };
  },
});

/** What each list may be filtered by. */
const allFilters: Readonly<Record<string, readonly string[]>> = {
  ...resourceFilters,
  attachment: ['volume_id', 'status', 'instance_id', 'attach_status'],
  message: ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'],
  pool: ['name', 'volume_type'],
  volume_type: ['is_public'],
};

const filters = defineRoute({
  method: 'GET',
  path: '/resource_filters',
  since: FILTER_CONFIG,
  summary: 'List what the lists may be filtered by',
  query: listQuery,
  async handle({ query }) {
    const asked = Object.entries(allFilters).filter(([name]) => !query.resource || name === query.resource);
    const views = asked.map(([resource, names]) => ({ resource, filters: names }));
    return { status: 200, body: { resource_filters: views } };
  },
});

export const extensionRoutes: readonly Route[] = [list, show, filters];
