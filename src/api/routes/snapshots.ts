/** /snapshots: list, show, create, update, delete. */
import { z } from 'zod';
import { failure } from '../../model/errors.ts';
import { announceSnapshot } from '../../service/announce.ts';
import { booleanWord, metadata, optionalName, uuid } from '../body.ts';
import { listQuery, nextLinks } from '../list-query.ts';
import { createSnapshot } from '../requests/create-snapshot.ts';
import { deleteSnapshot } from '../requests/delete-snapshot.ts';
import { findSnapshot } from '../requests/find-snapshot.ts';
import { listSnapshots } from '../requests/list-snapshots.ts';
import { defineRoute, type Microversion, type Route } from '../route.ts';
import { snapshotDetail, snapshotFull, snapshotSummary } from '../views/snapshot.ts';

const createBody = z.strictObject({
  snapshot: z.strictObject({
    volume_id: uuid,
    name: optionalName,
    display_name: optionalName,
    description: optionalName,
    force: booleanWord.optional(),
    metadata: metadata.nullish(),
  }),
});

const updateBody = z.strictObject({
  snapshot: z
    .strictObject({
      name: optionalName,
      display_name: optionalName,
      description: optionalName,
      display_description: optionalName,
    })
    .refine((snapshot) => Object.keys(snapshot).length > 0, 'say what to change: name or description'),
});

const list = defineRoute({
  method: 'GET',
  path: '/snapshots',
  summary: 'List snapshots',
  query: listQuery,
  async handle(request) {
    const { snapshots, page, count } = await listSnapshots(request);
    return {
      status: 200,
      body: {
        snapshots: snapshots.map(snapshotSummary),
        snapshots_links: nextLinks(`${request.baseUrl}/snapshots`, request.query, snapshots, page),
        count: count ?? undefined,
      },
    };
  },
});

const detail = defineRoute({
  method: 'GET',
  path: '/snapshots/detail',
  summary: 'List snapshots with details',
  query: listQuery,
  async handle(request) {
    const { snapshots, page, count } = await listSnapshots(request);
    return {
      status: 200,
      body: {
        snapshots: snapshots.map((snapshot) => snapshotFull(snapshot, request.version)),
        snapshots_links: nextLinks(`${request.baseUrl}/snapshots/detail`, request.query, snapshots, page),
        count: count ?? undefined,
      },
    };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/snapshots/:id',
  summary: 'Show a snapshot',
  async handle({ services, context, params, version }) {
    const snapshot = await findSnapshot(services.store, context, params.id!);
    return { status: 200, body: { snapshot: snapshotFull(snapshot, version) } };
  },
});

const create = defineRoute({
  method: 'POST',
  path: '/snapshots',
  summary: 'Take a snapshot of a volume',
  body: createBody,
  async handle({ services, context, version, body }) {
    const asked = body.snapshot;
    const snapshot = await createSnapshot(services, context, {
      volumeId: asked.volume_id,
      name: asked.name ?? asked.display_name ?? null,
      description: asked.description ?? null,
      metadata: asked.metadata ?? {},
      allowInUse: readForce(asked.force ?? null, version),
    });
    return { status: 202, body: { snapshot: snapshotDetail(snapshot, version) } };
  },
});

/** Since 3.66 a volume in use needs no force: yes is let pass for old clients, no asks for what is gone. */
function readForce(force: boolean | null, version: Microversion): boolean {
  if (version < 66) return force ?? false;
  if (force !== false) return true;
  throw failure('InvalidInput', { reason: 'snapshot.force is gone since 3.66: a volume may be in use. Leave it out.' });
}

const update = defineRoute({
  method: 'PUT',
  path: '/snapshots/:id',
  summary: "Change a snapshot's name or description",
  body: updateBody,
  async handle({ services, context, params, version, body }) {
    const { snapshot: asked } = body;
    const name = asked.name === undefined ? asked.display_name : asked.name;
    const description = asked.description === undefined ? asked.display_description : asked.description;
    const found = await findSnapshot(services.store, context, params.id!);
    const snapshot = await services.store.snapshots.updateIf(
      found.id,
      {},
      {
        ...(name === undefined ? {} : { displayName: name }),
        ...(description === undefined ? {} : { displayDescription: description }),
      },
    );
    if (snapshot === null) throw failure('SnapshotNotFound', { id: found.id });
    announceSnapshot(services.store, { event: 'update.start', context, row: found });
    announceSnapshot(services.store, { event: 'update.end', context, row: snapshot });
    return { status: 200, body: { snapshot: snapshotDetail(snapshot, version) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/snapshots/:id',
  summary: 'Delete a snapshot',
  async handle({ services, context, params }) {
    await deleteSnapshot(services, context, params.id!, { force: false });
    return { status: 202 };
  },
});

export const snapshotRoutes: readonly Route[] = [list, detail, show, create, update, remove];
