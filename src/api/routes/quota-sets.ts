/** Quotas: how much each project may have. */
import { z } from 'zod';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { MAX_INT } from '../body.ts';
import { listQuery, readBoolean } from '../list-query.ts';
import { readDefaultLimits, readFiguresByType, readLimits } from '../quota-figures.ts';
import { setQuotas } from '../requests/set-quotas.ts';
import { defineRoute, type Route } from '../route.ts';
import { quotaSetView, quotaUsageView } from '../views/quota.ts';

const show = defineRoute({
  method: 'GET',
  path: '/os-quota-sets/:id',
  summary: "Show a project's limits; with `usage=true` also what is in use",
  query: listQuery,
  async handle({ services: { store, options }, context, params, query }) {
    const id = params.id!;
    onlyOwn(context, id);
    const withUsage = query.usage !== undefined && readBoolean('usage', query.usage);
    const quotaSet = withUsage
      ? quotaUsageView(await readFiguresByType(store, options, id), id)
      : quotaSetView(await readLimits(store, options, id), id);
    return { status: 200, body: { quota_set: quotaSet } };
  },
});

const showDefaults = defineRoute({
  method: 'GET',
  path: '/os-quota-sets/:id/defaults',
  summary: 'Show the limits of a project that has none of its own',
  async handle({ services: { store, options }, context, params }) {
    onlyOwn(context, params.id!);
    return { status: 200, body: { quota_set: quotaSetView(await readDefaultLimits(store, options), params.id!) } };
  },
});

/** A whole number, or its digits as text. */
const limit = z
  .union([z.number(), z.string().regex(/^-?\d{1,10}$/)], 'expected a whole number')
  .transform(Number)
  .refine(
    (value) => Number.isInteger(value) && value >= -1 && value <= MAX_INT,
    `expected -1 (no limit) to ${MAX_INT}`,
  );

const update = defineRoute({
  method: 'PUT',
  path: '/os-quota-sets/:id',
  admin: true,
  summary: "Set some of a project's limits",
  body: z.strictObject({
    // Clients repeat the project in the body.
    quota_set: z.preprocess(withoutProject, z.record(z.string(), limit)),
  }),
  async handle({ services, params, body }) {
    if (Object.keys(body.quota_set).length === 0)
      throw failure('InvalidInput', { reason: 'quota_set names no limit.' });
    const limits = await setQuotas(services, params.id!, body.quota_set);
    return { status: 200, body: { quota_set: quotaSetView(limits) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/os-quota-sets/:id',
  admin: true,
  summary: "Take a project's own limits away: the defaults hold again",
  async handle({ services, params }) {
    await services.store.quotas.deleteLimits(params.id!);
    return { status: 200 };
  },
});

const showClass = defineRoute({
  method: 'GET',
  path: '/os-quota-class-sets/:id',
  admin: true,
  summary: "Show a quota class's limits",
  async handle({ services: { store, options }, params }) {
    const limits = { ...(await readDefaultLimits(store, options)), ...(await store.quotas.classLimits(params.id!)) };
    return { status: 200, body: { quota_class_set: quotaSetView(limits, params.id!) } };
  },
});

export const quotaSetRoutes: readonly Route[] = [show, showDefaults, update, remove, showClass];

/** Others than administrators see only their own project's quotas. */
function onlyOwn(context: RequestContext, projectId: string): void {
  if (context.isAdmin || context.projectId === projectId) return;
  throw failure('AdminRequired', { action: "Reading another project's quotas" });
}

function withoutProject(quotaSet: unknown): unknown {
  if (typeof quotaSet !== 'object' || quotaSet === null) return quotaSet;
  const { tenant_id: _, ...limits } = quotaSet as Record<string, unknown>;
  return limits;
}
