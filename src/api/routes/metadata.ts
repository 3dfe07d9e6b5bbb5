/** /volumes/{id}/metadata and /snapshots/{id}/metadata. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { MetadataStore, Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { metadata } from '../body.ts';
import { findVolume } from '../requests/find.ts';
import { findSnapshot } from '../requests/find-snapshot.ts';
import { refuseMaintenance } from '../requests/update-volume.ts';
import { type ApiReply, type ApiRequest, defineRoute, type Route } from '../route.ts';

type Metadata = Readonly<Record<string, string>>;

/** Whose metadata it is. */
interface Owner {
  readonly collection: 'volumes' | 'snapshots';
  /** Entity tags since 3.15: If-Match guards a change against one that came in between. */
  readonly entityTags: boolean;
  read(store: Store, context: RequestContext, id: string): Promise<Metadata>;
  /** Throws where it may not be changed now. */
  readForChange(store: Store, context: RequestContext, id: string): Promise<Metadata>;
  store(store: Store): MetadataStore;
  notFound(id: string, key: string): Error;
}

const volumes: Owner = {
  collection: 'volumes',
  entityTags: true,
  read: async (store, context, id) => (await findVolume(store, context, id)).metadata,
  async readForChange(store, context, id) {
    const volume = await findVolume(store, context, id);
    refuseMaintenance(volume);
    return volume.metadata;
  },
  store: (store) => store.volumes,
  notFound: (id, key) => failure('VolumeMetadataNotFound', { id, key }),
};

const snapshots: Owner = {
  collection: 'snapshots',
  entityTags: false,
  read: async (store, context, id) => (await findSnapshot(store, context, id)).metadata,
  readForChange: async (store, context, id) => (await findSnapshot(store, context, id)).metadata,
  store: (store) => store.snapshots,
  notFound: (id, key) => failure('SnapshotMetadataNotFound', { id, key }),
};

const wholeBody = z.strictObject({ metadata });
const itemBody = z.strictObject({ meta: metadata });

function collectionRoutes(owner: Owner): readonly Route[] {
  const path = `/${owner.collection}/:id/metadata`;
  return [
    defineRoute({
      method: 'GET',
      path,
      summary: `Show the metadata of ${owner.collection}`,
      async handle({ services, context, params, version }) {
        const current = await owner.read(services.store, context, params.id!);
        const headers = owner.entityTags && version >= 15 ? { ETag: entityTag(current) } : {};
        return { status: 200, body: { metadata: current }, headers };
      },
    }),
    defineRoute({
      method: 'POST',
      path,
      summary: `Add metadata to ${owner.collection}`,
      body: wholeBody,
      handle: (request) => change(owner, request, request.body.metadata, 'merge', (all) => ({ metadata: all })),
    }),
    defineRoute({
      method: 'PUT',
      path,
      summary: `Replace the metadata of ${owner.collection}`,
      body: wholeBody,
      handle: (request) => change(owner, request, request.body.metadata, 'replace', (all) => ({ metadata: all })),
    }),
  ];
}

function itemRoutes(owner: Owner): readonly Route[] {
  const path = `/${owner.collection}/:id/metadata/:key`;
  return [
    defineRoute({
      method: 'GET',
      path,
      summary: `Show one item of the metadata of ${owner.collection}`,
      async handle({ services, context, params }) {
        const { id, key } = params as { readonly id: string; readonly key: string };
        const current = await owner.read(services.store, context, id);
        if (!Object.hasOwn(current, key)) throw owner.notFound(id, key);
        return { status: 200, body: { meta: { [key]: current[key] } } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path,
      summary: `Set one item of the metadata of ${owner.collection}`,
      body: itemBody,
      async handle(request) {
        const { meta } = request.body;
        if (Object.keys(meta).length !== 1 || !Object.hasOwn(meta, request.params.key!)) {
          throw failure('InvalidInput', { reason: `meta must hold the one key of the URL, ${request.params.key}.` });
        }
        return change(owner, request, meta, 'merge', () => ({ meta }));
      },
    }),
    defineRoute({
      method: 'DELETE',
      path,
      summary: `Delete one item of the metadata of ${owner.collection}`,
      async handle({ services, context, params }) {
        const { id, key } = params as { readonly id: string; readonly key: string };
        await owner.readForChange(services.store, context, id);
        if (!(await owner.store(services.store).deleteMetadataKey(id, key))) throw owner.notFound(id, key);
        return { status: 200 };
      },
    }),
  ];
}

async function change(
  owner: Owner,
  { services, context, params, version, headers }: ApiRequest,
  changes: Metadata,
  mode: 'merge' | 'replace',
  view: (all: Metadata) => object,
): Promise<ApiReply> {
  const id = params.id!;
  return services.store.transaction(async (tx) => {
    const current = await owner.readForChange(tx, context, id);
    const expected = owner.entityTags && version >= 15 ? headers['if-match'] : undefined;
    if (expected !== undefined && !matches(expected, entityTag(current))) return { status: 412 };
    await owner.store(tx).setMetadata(id, changes, mode);
    return { status: 200, body: view(await owner.read(tx, context, id)) };
  });
}

/** The same for the same metadata, in whatever order the database tells it. */
function entityTag(current: Metadata): string {
  const sorted = Object.entries(current).sort(([a], [b]) => (a < b ? -1 : 1));
  return `"${createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32)}"`;
}

function matches(expected: string, tag: string): boolean {
  const bare = tag.slice(1, -1);
  return expected.split(',').some((part) => ['*', tag, bare].includes(part.trim()));
}

export const metadataRoutes: readonly Route[] = [volumes, snapshots].flatMap((owner) => [
  ...collectionRoutes(owner),
  ...itemRoutes(owner),
]);
