/** The REST API as a fastify instance: credentials, version, body, handler, in that order. Listening is the caller's. */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { failure } from '../model/errors.ts';
import type { AuthStrategy } from './auth.ts';
import { describeFaults, fault, faultOf } from './errors.ts';
import { formatMicroversion, MICROVERSION_HEADER, negotiateMicroversion } from './microversion.ts';
import type { ApiReply, ApiRequest, ApiServices, Route } from './route.ts';
import { routes } from './routes/index.ts';

export function createApiServer(services: ApiServices, options: { readonly auth: AuthStrategy }): FastifyInstance {
  const server = Fastify({
    bodyLimit: services.options.osapi_max_request_body_size,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: true },
  });
  for (const route of routes) {
    for (const prefix of ['/v3/:project_id', '/v3']) {
      server.route({
        method: route.method,
        url: prefix + route.path,
        handler: (request, reply) => answer(services, options.auth, route, request, reply),
      });
    }
  }
  return server;
}

async function answer(
  services: ApiServices,
  auth: AuthStrategy,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { project_id: projectId, ...params } = request.params as Record<string, string>;
  const identity = await auth.authenticate({
    token: String(request.headers['x-auth-token'] ?? ''),
    projectId: projectId ?? null,
  });
  if (identity === null) return send(reply, fault(401, 'The request needs a valid X-Auth-Token.'));
  const negotiated = negotiateMicroversion(request.headers[MICROVERSION_HEADER.toLowerCase()] as string | undefined);
  if (negotiated.kind !== 'version') return send(reply, fault(406, negotiated.text));
  reply.header(MICROVERSION_HEADER, `volume ${formatMicroversion(negotiated.version)}`);
  try {
    const body = route.body?.safeParse(request.body);
    const query = route.query?.safeParse(request.query);
    for (const parsed of [body, query]) {
      if (parsed?.success === false) throw failure('InvalidInput', { reason: describeFaults(parsed.error) });
    }
    const apiRequest: ApiRequest = {
      services,
      context: { requestId: `req-${randomUUID()}`, ...identity },
      version: negotiated.version,
      params,
      baseUrl: `${request.protocol}://${request.host}/v3${projectId === undefined ? '' : `/${projectId}`}`,
      body: body?.data,
      query: query?.data ?? request.query,
    };
    return send(reply, await route.handle(apiRequest));
  } catch (error) {
    return send(reply, faultOf(error));
  }
}

function send(reply: FastifyReply, { status, body, headers }: ApiReply): FastifyReply {
  return reply
    .code(status)
    .headers(headers ?? {})
    .send(body);
}
