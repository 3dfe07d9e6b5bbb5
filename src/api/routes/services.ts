/** The services of this deployment: who lives, who gets new volumes. */
import { z } from 'zod';
import { serviceHost } from '../../model/backend.ts';
import { failure, messageOf } from '../../model/errors.ts';
import { text } from '../body.ts';
import { describeFaults } from '../errors.ts';
import { listQuery } from '../list-query.ts';
import { setServiceDisabled, setServiceFrozen } from '../requests/change-service.ts';
import { getLogLevels, logBinaries, setLogLevels } from '../requests/log-levels.ts';
import { type ApiReply, type ApiRequest, defineRoute, type Route } from '../route.ts';
import { serviceView } from '../views/service.ts';

const BACKEND_STATE = 49;
const LOG_LEVEL = 32;
const FAILOVER = 26;

const list = defineRoute({
  method: 'GET',
  path: '/os-services',
  admin: true,
  summary: 'List services',
  query: listQuery,
  async handle({ services, context, version, query }) {
    const all = await services.store.services.list(query.binary === undefined ? {} : { binary: query.binary });
    // A node's name stands for its backends, too.
    const found = all.filter(({ host }) => query.host === undefined || `${host}@`.startsWith(`${query.host}@`));
    const backendStates = version >= BACKEND_STATE ? await readBackendStates(services, context) : new Map();
    const serviceDownTimeSeconds = services.options.service_down_time;
    const views = found.map((service) => serviceView(service, { version, serviceDownTimeSeconds, backendStates }));
    return { status: 200, body: { services: views } };
  },
});

const hostName = text().refine((host) => /^[a-zA-Z0-9\-._#@:/+[\]]+$/.test(host), 'not a host, such as node@backend');
const notEmpty = text().refine((value) => value !== '', 'must not be empty');

const reasonText = text()
  .transform((value) => value.trim())
  .refine((value) => value !== '', 'must not be empty');

const named = z
  .strictObject({
    host: hostName,
    binary: notEmpty.optional(),
    service: notEmpty.optional(),
    cluster: text().nullish(),
    disabled_reason: reasonText.optional(),
  })
  .refine(({ binary, service }) => (binary ?? service) !== undefined, 'binary must be given');

const logRequest = z.strictObject({
  binary: z
    .enum(logBinaries, `must be one of ${logBinaries.join(', ')}`)
    .nullable()
    .default(null),
  server: text().nullable().default(null),
  prefix: text().nullable().default(null),
  level: z.unknown().optional(),
});

const backend = z.strictObject({ host: hostName, cluster: text().nullish() });

/** What may stand behind /os-services/; each reads the body in its own way. */
const changes: Readonly<Record<string, (request: ApiRequest) => Promise<ApiReply>>> = {
  enable: (request) => setDisabled(request, false),
  disable: (request) => setDisabled(request, true),
  'disable-log-reason': (request) => setDisabled(request, true),
  freeze: (request) => setFrozen(request, true),
  thaw: (request) => setFrozen(request, false),
  failover_host: refuseFailover,
  failover: (request) => (request.version >= FAILOVER ? refuseFailover() : unknownChange(request)),
  'set-log': (request) => (request.version >= LOG_LEVEL ? setLog(request) : unknownChange(request)),
  'get-log': (request) => (request.version >= LOG_LEVEL ? getLog(request) : unknownChange(request)),
};

const change = defineRoute({
  method: 'PUT',
  path: '/os-services/:change',
  admin: true,
  summary: `Change a service: ${Object.keys(changes).join(', ')}`,
  body: z.record(z.string(), z.unknown()),
  async handle(request) {
    const name = request.params.change!;
    return Object.hasOwn(changes, name) ? changes[name]!(request) : unknownChange(request);
  },
});

export const serviceRoutes: readonly Route[] = [list, change];

async function setDisabled({ services, params, body }: ApiRequest, disabled: boolean): Promise<ApiReply> {
  const withReason = params.change === 'disable-log-reason';
  const { host, binary, service, disabled_reason: reason } = read(named, body);
  if (reason !== undefined && !withReason) {
    throw failure('InvalidInput', { reason: `${params.change} takes no disabled_reason; disable-log-reason does.` });
  }
  await setServiceDisabled(services, { host, binary: binary ?? service ?? '' }, disabled, reason ?? null);
  const status = disabled ? 'disabled' : 'enabled';
  const answer = { host, service: service ?? '', binary: binary ?? '', status, disabled };
  return { status: 200, body: withReason ? { ...answer, disabled_reason: reason ?? null } : answer };
}

async function setFrozen({ services, context, body }: ApiRequest, frozen: boolean): Promise<ApiReply> {
  await setServiceFrozen(services, context, read(backend, body).host, frozen);
  return { status: 200 };
}

async function refuseFailover(): Promise<never> {
  throw failure('InvalidInput', { reason: 'no backend replicates, so there is nowhere to fail over to.' });
}

async function setLog(request: ApiRequest): Promise<ApiReply> {
  await setLogLevels(request, read(logRequest, request.body));
  return { status: 202 };
}

async function getLog(request: ApiRequest): Promise<ApiReply> {
  return { status: 200, body: { log_levels: await getLogLevels(request, read(logRequest, request.body)) } };
}

async function unknownChange({ params }: ApiRequest): Promise<never> {
  throw failure('InvalidInput', { reason: `there is no such change: ${params.change}.` });
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw failure('InvalidInput', { reason: describeFaults(parsed.error) });
}

/** Up or down per `host@backend`, from the pools that the scheduler knows. Empty where it does not answer. */
async function readBackendStates(
  { scheduler, log }: ApiRequest['services'],
  context: ApiRequest['context'],
): Promise<ReadonlyMap<string, string>> {
  try {
    const pools = await scheduler.getPools(context);
    return new Map(
      pools.map(({ name, capabilities }) => [serviceHost(name), String(capabilities.backend_state ?? 'up')]),
    );
  } catch (error) {
    // The list has to be there above all when something is down, the scheduler for one.
    log.warn({ error: messageOf(error) }, 'The scheduler did not say how the backends are.');
    return new Map();
  }
}
