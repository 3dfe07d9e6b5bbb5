/**
 * The REST API as a fastify instance. A request passes, in this order: request id, credentials, project, microversion,
 * body, handler. Listening is the caller's.
 */
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { failpoint } from '../lib/failpoint.ts';
import { measure } from '../lib/measure.ts';
import { redactText } from '../log/redact.ts';
import { type AshlarError, failure, isFailure } from '../model/errors.ts';
import { type Admission, admit, negotiate } from './admission.ts';
import type { AuthStrategy } from './auth.ts';
import { parseJsonBody } from './body-parser.ts';
import { versionsDocument } from './discovery.ts';
import { fault, faultOf } from './errors.ts';
import { createLoginLimit } from './login-limit.ts';
import { isLoopback } from './loopback.ts';
import { openApiDocument } from './openapi.ts';
import { rememberRefusal, subjectsOf } from './refusals.ts';
import { globalRequestId, newRequestId } from './request-id.ts';
import { respond } from './respond.ts';
import type { ApiReply, ApiServices, Route } from './route.ts';
import { routes } from './routes/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    apiRequestId: string;
    admission: Admission | null;
  }
  interface FastifyContextConfig {
    /** Served without credentials. */
    public?: boolean;
  }
}

/** What listens and answers. Others name it so, and need not know the package. */
export type ApiServer = FastifyInstance;

export interface ApiServerSettings {
  readonly auth: AuthStrategy;
  /** Milliseconds that only move forward; for the limit on failing logins. */
  readonly now?: () => number;
}

/** Failing logins per address and minute before the address has to wait. */
const LOGIN_FAILURES = 20;
const LOGIN_WINDOW_MS = 60_000;
const LOGIN_CAPACITY = 10_000;

export function createApiServer(services: ApiServices, settings: ApiServerSettings): ApiServer {
  refuseOpenNoauth(services, settings.auth);
  const server = Fastify({
    bodyLimit: services.options.osapi_max_request_body_size,
    // Longer than any id, so that a long one is answered as what it is.
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: true },
    requestTimeout: 60_000,
    frameworkErrors: (error, _request, reply) => void send(reply, fault(error.statusCode ?? 400, error.message)),
  });
  server.decorateRequest('apiRequestId', '');
  server.decorateRequest('admission', null);
  acceptJson(server);
  guard(server, services, settings);
  mountDiscovery(server);
  mountRoutes(server, services);
  server.setErrorHandler((error, request, reply) => send(reply, replyToError(services, error as Error, request)));
  return server;
}

function refuseOpenNoauth({ options }: ApiServices, auth: AuthStrategy): void {
  if (!auth.loopbackOnly || isLoopback(options.osapi_volume_listen)) return;
  throw failure('InvalidConfigurationValue', {
    option: 'auth_strategy',
    group: 'DEFAULT',
    reason:
      `${auth.name} believes everybody, so it is refused on ${options.osapi_volume_listen}. ` +
      'Set osapi_volume_listen to 127.0.0.1, or auth_strategy to token.',
  });
}

function acceptJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    /^application\/(json|vnd\.openstack\.volume\+json)\s*(;|$)/,
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, bytes: string | Buffer) => parseJsonBody(Buffer.from(bytes)),
  );
}

/** Hooks for all requests, those to unknown paths too: who is not let in learns nothing of what exists. */
function guard(server: FastifyInstance, services: ApiServices, settings: ApiServerSettings): void {
  const limit = createLoginLimit({
    failures: LOGIN_FAILURES,
    windowMs: LOGIN_WINDOW_MS,
    capacity: LOGIN_CAPACITY,
    now: settings.now ?? (() => performance.now()),
  });
  server.addHook('onRequest', async (request, reply) => {
    request.apiRequestId = newRequestId();
    reply.headers({
      'x-openstack-request-id': request.apiRequestId,
      'x-compute-request-id': request.apiRequestId,
    });
    if (request.routeOptions.config.public === true) return;
    const outcome = await admit(settings.auth, limit, request);
    reply.headers(outcome.headers);
    if (outcome.kind === 'refused') return send(reply, outcome.reply);
    request.admission = outcome.admission;
  });
  server.addHook('onSend', async (request) => {
    if (request.method !== 'GET') failpoint(`api.reply.${request.method}`);
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url?.replace(/^\/v3(\/:project_id)?/, '') ?? 'unknown';
    const { statusCode: status, elapsedTime: durationMs } = reply;
    measure({ what: 'rest', method: request.method, route, status, durationMs });
    services.log.info(
      {
        method: request.method,
        path: request.url.split('?', 1)[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        requestId: request.apiRequestId,
        globalRequestId: globalRequestId(request.headers['x-openstack-request-id']) ?? undefined,
        remoteAddress: request.ip,
      },
      'request answered',
    );
  });
}

function mountDiscovery(server: FastifyInstance): void {
  const config = { public: true };
  const discover = (status: number) => async (request: FastifyRequest, reply: FastifyReply) => {
    const negotiated = negotiate(request);
    reply.headers(negotiated.headers);
    if (negotiated.kind === 'refused') return send(reply, negotiated.reply);
    return send(reply, { status, body: versionsDocument(rootUrl(request)) });
  };
  server.get('/', { config }, discover(300));
  server.get('/v3', { config }, discover(200));
  server.get('/v3/openapi.json', async (_request, reply) =>
    send(reply, { status: 200, body: openApiDocument(routes) }),
  );
}

function mountRoutes(server: FastifyInstance, services: ApiServices): void {
  // One path may have several routes, each for a range of versions.
  const groups = Map.groupBy(routes, (route) => `${route.method} ${route.path}`);
  for (const group of groups.values()) {
    const { method, path } = group[0]!;
    for (const prefix of ['/v3/:project_id', '/v3']) {
      server.route({
        method,
        url: prefix + path,
        handler: async (request, reply) => {
          const { apiRequestId: requestId, admission } = request;
          if (admission === null) throw failure('Internal', { reason: 'a request reached its handler unadmitted' });
          return send(reply, await respond(group, { services, request, requestId, admission, root: rootUrl(request) }));
        },
      });
    }
  }
  server.setNotFoundHandler(async (request, reply) => send(reply, unknownPath(request)));
}

/** 405 where the path is known under another method, else 404. */
function unknownPath(request: FastifyRequest): ApiReply {
  const path = request.url.split('?', 1)[0]!.replace(/\/$/, '');
  const methods = new Set(routes.filter((route) => pathPattern(route).test(path)).map((route) => route.method));
  if (methods.size === 0 || methods.has(request.method as Route['method'])) {
    return fault(404, 'The resource could not be found.');
  }
  const allow = [...methods].join(', ');
  return fault(405, `${request.method} is not possible here. Possible: ${allow}.`, { Allow: allow });
}

function pathPattern(route: Route): RegExp {
  const path = route.path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+');
  return new RegExp(`^/v3(/[^/]+)?${path}$`);
}

/** Errors that fastify raises itself, and what a handler threw unexpectedly. */
function replyToError(services: ApiServices, error: Error, request: FastifyRequest): ApiReply {
  if (isFailure(error)) noteRefusal(error, request);
  if (isFailure(error) && error.status < 500) return faultOf(error);
  const { statusCode, code } = error as Partial<FastifyError>;
  if (!isFailure(error) && code?.startsWith('FST_ERR_CTP_') === true && statusCode !== undefined) {
    return fault(statusCode, describeBodyFault(statusCode, services.options.osapi_max_request_body_size));
  }
  services.log.error({ err: error, requestId: request.apiRequestId, method: request.method }, 'request failed');
  return faultOf(error);
}

/** For `ashlar why`: reads that find nothing are no news. */
function noteRefusal({ code, message }: AshlarError, request: FastifyRequest): void {
  if (request.method === 'GET') return;
  rememberRefusal({
    at: new Date().toISOString(),
    request_id: request.apiRequestId,
    project_id: request.admission?.identity.projectId ?? null,
    request: `${request.method} ${request.url.split('?', 1)[0]!.replace(/^\/v3/, '')}`,
    code,
    reason: redactText(message),
    about: subjectsOf(request.params, request.body),
  });
}

function describeBodyFault(statusCode: number, limitBytes: number): string {
  if (statusCode === 413) return `The body is larger than ${limitBytes} bytes. Send less at once.`;
  if (statusCode === 415) return 'The body must be JSON. Send it with Content-Type: application/json.';
  return 'The body could not be read.';
}

function rootUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

function send(reply: FastifyReply, { status, body, headers }: ApiReply): FastifyReply {
  return reply
    .code(status)
    .headers(headers ?? {})
    .send(body);
}
