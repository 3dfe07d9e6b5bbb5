/** From an admitted request to the route's reply: which version of the route, may this user, does the body fit. */
import type { FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { failure } from '../model/errors.ts';
import type { Admission } from './admission.ts';
import { describeFaults } from './errors.ts';
import { formatMicroversion } from './microversion.ts';
import type { ApiReply, ApiServices, Route } from './route.ts';

export interface Incoming {
  readonly services: ApiServices;
  readonly request: FastifyRequest;
  readonly requestId: string;
  readonly admission: Admission;
  /** `http://host:port`. */
  readonly root: string;
}

/** `routes` share method and path and differ in the versions that have them. Throws failures of the catalogue. */
export async function respond(routes: readonly Route[], incoming: Incoming): Promise<ApiReply> {
  const { identity, version } = incoming.admission;
  const route = routes.find(({ since, until }) => version >= (since ?? 0) && version <= (until ?? Infinity));
  if (route === undefined) {
    throw failure('NotFound', {
      reason: `API version ${formatMicroversion(version)} is not supported on this method.`,
    });
  }
  if (route.admin === true && !identity.isAdmin) {
    throw failure('AdminRequired', { action: `${route.method} ${route.path}` });
  }
  const { project_id: projectId, ...params } = incoming.request.params as Record<string, string>;
  const query = incoming.request.query as Record<string, unknown>;
  refuseNul(params, query);
  return route.handle({
    services: incoming.services,
    context: { requestId: incoming.requestId, ...identity },
    version,
    params,
    baseUrl: `${incoming.root}/v3${projectId === undefined ? '' : `/${projectId}`}`,
    headers: plainHeaders(incoming.request),
    body: fit(route.body, incoming.request.body, 'the request needs a JSON body'),
    query: fit(route.query, query) ?? query,
  });
}

function fit(schema: ZodType | undefined, value: unknown, missing?: string): unknown {
  if (schema === undefined) return undefined;
  if (value === undefined && missing !== undefined) throw failure('InvalidInput', { reason: missing });
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw failure('InvalidInput', { reason: describeFaults(parsed.error) });
  return parsed.data;
}

/** The database cannot hold U+0000 in text, not even to look for it. */
function refuseNul(params: Readonly<Record<string, string>>, query: Readonly<Record<string, unknown>>): void {
  for (const text of [...Object.values(params), ...Object.entries(query).flat(2)]) {
    if (String(text).includes('\0')) throw failure('InvalidInput', { reason: 'the URL holds a NUL character' });
  }
}

function plainHeaders(request: FastifyRequest): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name !== 'x-auth-token') headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
