/** What the caller's project may have, and has. */
import { listQuery } from '../list-query.ts';
import { readFigures } from '../quota-figures.ts';
import { defineRoute, type Route } from '../route.ts';
import { limitsView } from '../views/quota.ts';

/** Since then an administrator may ask about another project. */
const ADMIN_FILTER = 39;

const show = defineRoute({
  method: 'GET',
  path: '/limits',
  summary: "Show the project's limits and what is in use",
  query: listQuery,
  async handle({ services, context, version, query }) {
    const mayChoose = context.isAdmin && version >= ADMIN_FILTER;
    const chosen = mayChoose ? (query.project_id ?? query.tenant_id) : undefined;
    const figures = await readFigures(services.store, services.options, chosen ?? context.projectId ?? '');
    return { status: 200, body: { limits: limitsView(figures) } };
  },
});

export const limitRoutes: readonly Route[] = [show];
