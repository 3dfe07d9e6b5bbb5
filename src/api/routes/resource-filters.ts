/** GET /resource_filters: what lists can be filtered by. */
import { resourceFilters } from '../filters.ts';
import { listQuery } from '../list-query.ts';
import { defineRoute, type Route } from '../route.ts';

export const resourceFilterRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/resource_filters',
    since: 33,
    summary: 'Show what lists can be filtered by',
    query: listQuery,
    async handle({ query }) {
      const shown = Object.entries(resourceFilters).filter(([resource]) => (query.resource ?? resource) === resource);
      return { status: 200, body: { resource_filters: shown.map(([resource, filters]) => ({ resource, filters })) } };
    },
  }),
];
