/** Volume types. Everybody sees the public ones; administrators edit. */
import { z } from 'zod';
import { failure } from '../../model/errors.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import { announceVolumeType } from '../../service/announce.ts';
import { booleanWord, optionalText, text } from '../body.ts';
import {
  listQuery,
  nextLinks,
  pageOf,
  type QueryValues,
  readBoolean,
  readFilters,
  readPage,
  readSort,
} from '../list-query.ts';
import { parseTextDict } from '../python-literal.ts';
import { createVolumeType } from '../requests/create-volume-type.ts';
import { deleteVolumeType } from '../requests/delete-volume-type.ts';
import { findVolumeType } from '../requests/find.ts';
import { type ApiRequest, defineRoute, type Route } from '../route.ts';
import { volumeTypeView } from '../views/volume-type.ts';

const typeName = text().transform((name) => name.trim());
const givenName = typeName.refine((name) => name !== '', 'must not be empty');

/** A null value stands for an empty one. */
const extraSpecs = z.record(
  z.string().regex(/^[a-zA-Z0-9\-_:. /]{1,255}$/, 'a key has 1 to 255 letters, digits, spaces, or of -_:./'),
  text()
    .nullable()
    .transform((value) => value ?? ''),
);

const list = defineRoute({
  method: 'GET',
  path: '/types',
  summary: 'List volume types',
  query: listQuery,
  async handle(request) {
    const { context, baseUrl, query, services } = request;
    const page = readPage(query, services.options.osapi_max_limit);
    const types = pageOf(await sortedTypes(request), page);
    const links = nextLinks(`${baseUrl}/types`, query, types, page);
    return {
      status: 200,
      body: {
        volume_types: types.map((type) => volumeTypeView(type, context)),
        ...(links === undefined ? {} : { volume_type_links: links }),
      },
    };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/types/:id',
  summary: 'Show a volume type; `default` is the one that a volume gets when none is asked for',
  async handle({ services, context, params }) {
    const type =
      params.id === 'default' ? await defaultType(services) : await findVolumeType(services.store, context, params.id!);
    return { status: 200, body: { volume_type: volumeTypeView(type, context) } };
  },
});

const create = defineRoute({
  method: 'POST',
  path: '/types',
  admin: true,
  summary: 'Create a volume type',
  body: z.strictObject({
    volume_type: z.strictObject({
      name: givenName,
      description: optionalText,
      extra_specs: extraSpecs.default({}),
      'os-volume-type-access:is_public': booleanWord.default(true),
    }),
  }),
  async handle({ services, context, body: { volume_type: input } }) {
    const type = await createVolumeType(services, {
      name: input.name,
      description: input.description ?? null,
      isPublic: input['os-volume-type-access:is_public'],
      extraSpecs: input.extra_specs,
    });
    announceVolumeType({ event: 'create', context, row: type });
    return { status: 200, body: { volume_type: volumeTypeView(type, context) } };
  },
});

const update = defineRoute({
  method: 'PUT',
  path: '/types/:id',
  admin: true,
  summary: 'Change the name, description or visibility of a volume type',
  body: z.strictObject({
    volume_type: z
      .strictObject({ name: givenName.nullish(), description: optionalText, is_public: booleanWord.optional() })
      .refine(({ name, description, is_public }) => (name ?? description ?? is_public ?? null) !== null, {
        message: 'name, description or is_public must be given',
      }),
  }),
  async handle({ services, context, params, body: { volume_type: input } }) {
    await findVolumeType(services.store, context, params.id!);
    const type = await services.store.types.update(params.id!, {
      ...(input.name == null ? {} : { name: input.name }),
      ...(input.description == null ? {} : { description: input.description }),
      ...(input.is_public === undefined ? {} : { isPublic: input.is_public }),
    });
    if (type === null) throw failure('VolumeTypeNotFound', { id: params.id! });
    announceVolumeType({ event: 'update', context, row: type });
    return { status: 200, body: { volume_type: volumeTypeView(type, context) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/types/:id',
  admin: true,
  summary: 'Delete a volume type that no volume has',
  async handle({ services, context, params }) {
    await deleteVolumeType(services, context, params.id!);
    return { status: 202 };
  },
});

const encryption = defineRoute({
  method: 'GET',
  path: '/types/:id/encryption',
  admin: true,
  summary: 'Show the encryption of a volume type: there is none yet',
  async handle({ services, context, params }) {
    await findVolumeType(services.store, context, params.id!);
    return { status: 200, body: {} };
  },
});

export const typeRoutes: readonly Route[] = [list, create, show, update, remove, encryption];

const sortKeys = { name: 'name', id: 'id' } as const;

async function sortedTypes({ services, context, query }: ApiRequest<unknown, QueryValues>): Promise<VolumeType[]> {
  const isWanted = readTypeFilter(query, context.isAdmin);
  const types = await services.store.types.list(visibility(context.isAdmin, context.projectId, query.is_public));
  const order = readSort(query, sortKeys);
  return types.filter(isWanted).toSorted((a, b) => {
    for (const { key, dir } of [...order, { key: 'id', dir: 'desc' } as const]) {
      const compared = a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
      if (compared !== 0) return dir === 'asc' ? compared : -compared;
    }
    return 0;
  });
}

/**
 * `name` and `extra_specs={'key': 'value'}`. An administrator's filter that is not there is refused, so that it does
 * not seem to fit every type; anybody else's is left out.
 */
function readTypeFilter(query: QueryValues, isAdmin: boolean): (type: VolumeType) => boolean {
  const { name, extra_specs: text } = readFilters(query, ['is_public', 'name', 'extra_specs'], isAdmin);
  const specs = text === undefined ? {} : parseTextDict(text);
  if (specs === null) {
    throw failure('InvalidInput', { reason: `extra_specs must look like {'key': 'value'}, not '${text}'` });
  }
  return (type) =>
    (name === undefined || type.name === name) &&
    Object.entries(specs).every(([key, value]) => type.extraSpecs[key] === value);
}

/** Administrators choose: what their project may use (the default), private ones, or with `none` all. Others do not. */
function visibility(isAdmin: boolean, projectId: string | null, isPublic: string | undefined) {
  const usable = { projectId: projectId ?? '' };
  if (!isAdmin || isPublic === undefined) return usable;
  if (isPublic.toLowerCase() === 'none') return {};
  return readBoolean('is_public', isPublic) ? usable : { isPublic: false };
}

async function defaultType({ store, options }: ApiRequest['services']): Promise<VolumeType> {
  const name = options.default_volume_type;
  const type = await store.types.getByName(name);
  if (type === null) throw failure('VolumeTypeNotFoundByName', { name });
  return type;
}
