/** The OpenAPI document, made from the routes: what is served and what is described cannot differ. Pure. */
import { z } from 'zod';
import { formatMicroversion, MAX_MICROVERSION, MICROVERSION_HEADER, MIN_MICROVERSION } from './microversion.ts';
import type { Action, Microversion, Route } from './route.ts';
import { routes as allRoutes } from './routes/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document as text, for the file in docs. */
export function renderOpenApi(): string {
  return `${JSON.stringify(openApiDocument(allRoutes), null, 2)}\n`;
}

export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = `/v3/{project_id}${route.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ashlar Block Storage API',
      version: formatMicroversion(MAX_MICROVERSION),
      description:
        `Block Storage v3, microversions ${formatMicroversion(MIN_MICROVERSION)} to ` +
        `${formatMicroversion(MAX_MICROVERSION)}. The project may be left out of every path.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } },
      schemas: { Fault: faultSchema },
    },
  };
}

/** One key that names the kind of fault (`badRequest`, `itemNotFound`, …), and what happened under it. */
const faultSchema: Json = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: {
    type: 'object',
    properties: { code: { type: 'integer' }, message: { type: 'string' } },
    required: ['code', 'message'],
  },
};

function operationOf(route: Route, path: string): Json {
  const notes = [route.admin === true ? 'For administrators.' : '', versionsOf(route)].filter((note) => note !== '');
  const body = route.actions === undefined ? route.body && schemaOf(route.body) : actionsSchema(route.actions);
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [route.path.split('/')[1]],
    ...(notes.length === 0 ? {} : { description: notes.join(' ') }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      { name: MICROVERSION_HEADER, in: 'header', schema: { type: 'string', examples: ['volume 3.70'] } },
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      '2XX': { description: 'Done, or accepted and under way.' },
      default: {
        description: 'A fault.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } },
      },
    },
  };
}

interface Versions {
  readonly since?: Microversion;
  readonly until?: Microversion;
}

/** `GET /volumes/:id/metadata` as `get-volumes-id-metadata`. */
function operationId({ method, path }: Route): string {
  return [method.toLowerCase(), ...path.split('/').slice(1)].join('-').replaceAll(':', '');
}

function versionsOf({ since, until }: Versions): string {
  if (since === undefined && until === undefined) return '';
  const [from, to] = [since ?? MIN_MICROVERSION, until ?? MAX_MICROVERSION].map(formatMicroversion);
  return until === undefined ? `Since ${from}.` : `From ${from} to ${to}.`;
}

function actionsSchema(actions: readonly Action[]): Json {
  return {
    oneOf: actions.map((action) => ({
      type: 'object',
      title: action.name,
      description: [`${action.summary}.`, action.admin === true ? 'For administrators.' : '', versionsOf(action)]
        .filter((part) => part !== '')
        .join(' '),
      properties: { [action.name]: schemaOf(action.body) },
      required: [action.name],
      additionalProperties: false,
    })),
  };
}

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
