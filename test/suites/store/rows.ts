import { randomUUID } from 'node:crypto';
import type { Store } from '../../../src/db/store.ts';
import type { Attachment, NewAttachment } from '../../../src/model/attachment.ts';
import type { NewOperation } from '../../../src/model/operation.ts';
import type { NewSnapshot, Snapshot } from '../../../src/model/snapshot.ts';
import type { NewVolume, Volume } from '../../../src/model/volume.ts';
import { DEFAULT_VOLUME_TYPE_NAME } from '../../../src/model/volume-type.ts';

/** Asked for late, since the store is made in a hook. */
export type StoreOf = () => Store;

/** Each test works in a project of its own, so that one database serves all. */
export function newProject(): string {
  return randomUUID().replaceAll('-', '');
}

export async function addVolume(store: Store, values: Partial<NewVolume> = {}): Promise<Volume> {
  const type = await store.types.getByName(DEFAULT_VOLUME_TYPE_NAME);
  return store.volumes.insert({
    id: randomUUID(),
    sizeGb: 1,
    volumeTypeId: type!.id,
    status: 'available',
    ...values,
  });
}

export async function addSnapshot(store: Store, volume: Volume, values: Partial<NewSnapshot> = {}): Promise<Snapshot> {
  return store.snapshots.insert({
    id: randomUUID(),
    volumeId: volume.id,
    volumeSizeGb: volume.sizeGb,
    volumeTypeId: volume.volumeTypeId,
    projectId: volume.projectId,
    status: 'available',
    ...values,
  });
}

export async function addAttachment(
  store: Store,
  volume: Volume,
  values: Partial<NewAttachment> = {},
): Promise<Attachment> {
  return store.attachments.insert({ id: randomUUID(), volumeId: volume.id, attachStatus: 'reserved', ...values });
}

export function newOperation(values: Partial<NewOperation> = {}): NewOperation {
  return {
    id: randomUUID(),
    resourceType: 'volume',
    resourceId: randomUUID(),
    method: 'create_volume',
    arguments: {},
    requestId: `req-${randomUUID()}`,
    context: { isAdmin: false, roles: ['member'], carried: { user_domain: 'd' } },
    userId: null,
    projectId: null,
    owner: 'node@lvm',
    ...values,
  };
}

export function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map((row) => row.id);
}
