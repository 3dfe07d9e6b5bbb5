/** /volumes: list, show, create, update, delete, summary. */
import { z } from 'zod';
import { failure } from '../../model/errors.ts';
import { announceVolume } from '../../service/announce.ts';
import { booleanWord, metadata, optionalName, optionalText, sizeGb, text, uuid } from '../body.ts';
import { listQuery, nextLinks, readBoolean } from '../list-query.ts';
import { createVolume } from '../requests/create-volume.ts';
import { deleteVolume } from '../requests/delete-volume.ts';
import { findVolume } from '../requests/find.ts';
import { distinctMetadata, listVolumes, loadDetail, loadDetails, scopeOf } from '../requests/list-volumes.ts';
import { updateVolume } from '../requests/update-volume.ts';
import { type ApiRequest, defineRoute, type Microversion, type Route } from '../route.ts';
import { type VolumeViewContext, volumeDetail, volumeFull, volumeSummary } from '../views/volume.ts';

const createFields = {
  name: optionalName,
  description: optionalName,
  display_name: optionalName,
  display_description: optionalName,
  volume_type: optionalText,
  metadata: metadata.nullish(),
  snapshot_id: uuid.nullish(),
  source_volid: uuid.nullish(),
  size: sizeGb.nullish(),
  availability_zone: text()
    .refine((zone) => zone.trim() !== '', 'empty')
    .nullish(),
  multiattach: booleanWord.nullish(),
  consistencygroup_id: optionalText,
  group_id: optionalText,
  image_id: optionalText,
  imageRef: optionalText,
  backup_id: optionalText,
};

const createBody = z.strictObject({
  volume: z.looseObject(createFields),
  'OS-SCH-HNT:scheduler_hints': z.record(z.string(), z.unknown()).nullish(),
});

const updateBody = z.strictObject({
  volume: z.strictObject({
    name: optionalName,
    description: optionalName,
    display_name: optionalName,
    display_description: optionalName,
    metadata: metadata.optional(),
  }),
});

function viewContext({ version, context, baseUrl }: ApiRequest): VolumeViewContext {
  return { version, isAdmin: context.isAdmin, baseUrl };
}

const list = defineRoute({
  method: 'GET',
  path: '/volumes',
  summary: 'List volumes',
  query: listQuery,
  async handle(request) {
    const { volumes, page, count } = await listVolumes(request);
    return {
      status: 200,
      body: {
        volumes: volumes.map((volume) => volumeSummary(volume, viewContext(request))),
        volumes_links: nextLinks(`${request.baseUrl}/volumes`, request.query, volumes, page),
        count: count ?? undefined,
      },
    };
  },
});

const detail = defineRoute({
  method: 'GET',
  path: '/volumes/detail',
  summary: 'List volumes with details',
  query: listQuery,
  async handle(request) {
    const { volumes, page, count } = await listVolumes(request);
    const details = await loadDetails(request.services.store, volumes);
    return {
      status: 200,
      body: {
        volumes: details.map((it) => volumeFull(it, viewContext(request))),
        volumes_links: nextLinks(`${request.baseUrl}/volumes/detail`, request.query, volumes, page),
        count: count ?? undefined,
      },
    };
  },
});

const summary = defineRoute({
  method: 'GET',
  path: '/volumes/summary',
  since: 12,
  summary: 'Number and size of all volumes',
  query: listQuery,
  async handle(request) {
    const { store, options } = request.services;
    const projectId = scopeOf(request, {});
    const { count, sizeGb: totalGb } = await store.volumes.summary({ projectId });
    const shownMetadata =
      request.version >= 36 ? await distinctMetadata(store, projectId, options.osapi_max_limit) : undefined;
    return {
      status: 200,
      body: { 'volume-summary': { total_count: count, total_size: totalGb, metadata: shownMetadata } },
    };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/volumes/:id',
  summary: 'Show a volume',
  async handle(request) {
    const { store } = request.services;
    const volume = await findVolume(store, request.context, request.params.id!);
    return { status: 200, body: { volume: volumeFull(await loadDetail(store, volume), viewContext(request)) } };
  },
});

const create = defineRoute({
  method: 'POST',
  path: '/volumes',
  summary: 'Create a volume: empty, from a snapshot or from another volume',
  body: createBody,
  async handle(request) {
    const asked = request.body.volume;
    refuseUnknownFields(asked, request.version);
    refuseUnserved(request.body);
    const { volume, type } = await createVolume(request.services, request.context, {
      sizeGb: asked.size ?? null,
      name: asked.name ?? asked.display_name ?? null,
      description: asked.description ?? asked.display_description ?? null,
      metadata: asked.metadata ?? {},
      volumeType: asked.volume_type || null,
      availabilityZone: asked.availability_zone ?? null,
      snapshotId: asked.snapshot_id ?? null,
      sourceVolumeId: asked.source_volid ?? null,
    });
    const details = { volume, typeName: type.name, attachments: [] };
    return { status: 202, body: { volume: volumeDetail(details, viewContext(request)) } };
  },
});

/** Until 3.53 fields that nobody knows were let pass. */
function refuseUnknownFields(volume: object, version: Microversion): void {
  const unknown = Object.keys(volume).filter((field) => !Object.hasOwn(createFields, field));
  if (version < 53 || unknown.length === 0) return;
  throw failure('InvalidInput', { reason: `volume: unknown fields ${unknown.join(', ')}.` });
}

/** What Block Storage v3 has and this server does not yet: saying so is better than a volume without it. */
function refuseUnserved(body: z.infer<typeof createBody>): void {
  const { volume, 'OS-SCH-HNT:scheduler_hints': hints } = body;
  const unserved: readonly (readonly [asked: unknown, what: string])[] = [
    [volume.imageRef ?? volume.image_id, 'creating a volume from an image is not there yet'],
    [volume.backup_id, 'creating a volume from a backup is not there yet'],
    [volume.multiattach, "multiattach is the type's: use a volume type with the extra spec multiattach='<is> True'"],
    [hints && Object.keys(hints).length > 0, 'scheduler hints are not there yet'],
    [volume.snapshot_id && volume.source_volid, 'snapshot_id and source_volid exclude each other'],
  ];
  const group = volume.group_id || volume.consistencygroup_id;
  if (group) throw failure('NotFound', { reason: `There is no group ${group}: groups are not there yet.` });
  // An empty id asks for something, too.
  const found = unserved.find(([asked]) => asked === '' || Boolean(asked));
  if (found !== undefined) throw failure('InvalidInput', { reason: `${found[1]}.` });
}

const update = defineRoute({
  method: 'PUT',
  path: '/volumes/:id',
  summary: "Change a volume's name, description or metadata",
  body: updateBody,
  async handle(request) {
    const { volume: asked } = request.body;
    if (request.version >= 53 && Object.keys(asked).length === 0) {
      throw failure('InvalidInput', { reason: 'volume: say what to change: name, description or metadata.' });
    }
    const name = asked.name === undefined ? asked.display_name : asked.name;
    const description = asked.description === undefined ? asked.display_description : asked.description;
    const changes = {
      ...(name === undefined ? {} : { displayName: name }),
      ...(description === undefined ? {} : { displayDescription: description }),
    };
    const { services, context, params } = request;
    const before = await findVolume(services.store, context, params.id!);
    const volume = await updateVolume(services, context, before.id, changes, asked.metadata);
    announceVolume(services.store, { event: 'update.start', context, row: before });
    announceVolume(services.store, { event: 'update.end', context, row: volume });
    const details = await loadDetail(services.store, volume);
    return { status: 200, body: { volume: volumeDetail(details, viewContext(request)) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/volumes/:id',
  summary: 'Delete a volume',
  query: listQuery,
  async handle({ services, context, params, query, version }) {
    const force = version >= 23 && readBoolean('force', query.force ?? 'false');
    if (force && !context.isAdmin) throw failure('AdminRequired', { action: 'Deleting by force' });
    const cascade = readBoolean('cascade', query.cascade ?? 'false');
    await deleteVolume(services, context, params.id!, { cascade, force });
    return { status: 202 };
  },
});

export const volumeRoutes: readonly Route[] = [list, detail, summary, show, create, update, remove];
