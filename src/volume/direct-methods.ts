/** What a volume service answers without a record: questions, and switches that are thrown at once. */
import type { KeyedLock } from '../coordination/keyed-lock.ts';
import type { Store } from '../db/store.ts';
import { serviceHost } from '../model/backend.ts';
import { failure } from '../model/errors.ts';
import { VOLUME_TOPIC } from '../rpcapi/requests.ts';
import type { WireRequest } from '../rpcapi/wire/receive.ts';
import type { InboxParts } from '../service/inbox.ts';
import { logLevelMethods } from '../service/log-levels.ts';
import { consumersLeft, disconnect, notExported } from './export.ts';
import type { Backend } from './operation.ts';

export function directMethods(parts: {
  readonly store: Store;
  readonly backend: Backend;
  readonly locks: KeyedLock;
  /** Measured now, or as the last report told them. */
  capabilities(isFresh: boolean): Promise<unknown>;
  /** Tells the schedulers what the backend has left. */
  publish(): void;
  /** Looks for work that was cut off. */
  sweep(): void;
}): InboxParts['direct'] {
  const { store, backend } = parts;
  return {
    publish_service_capabilities: async () => parts.publish(),
    get_capabilities: ({ discover }) => parts.capabilities(discover === true),
    freeze_host: () => setFrozen(store, backend.serviceHost, true),
    thaw_host: () => setFrozen(store, backend.serviceHost, false),
    // Volumes of a block backend are no files that a shared file system could expose.
    secure_file_operations_enabled: async () => false,
    // Credentials belong to a volume here, not to its project.
    accept_transfer: async ({ volume_id }) => {
      await loadOurs(store, backend.serviceHost, String(volume_id));
      return {};
    },
    remove_export: ({ volume_id }) =>
      parts.locks.withKeys([`volume:${volume_id}`], () => removeExport(store, backend, String(volume_id))),
    // Snapshots are never exported.
    remove_export_snapshot: async () => null,
    do_cleanup: async () => parts.sweep(),
    ...logLevelMethods,
  };
}

/** Nothing stands between a request and the rows of its volume: it has to be there, and here. */
export async function completeForVolume(store: Store, host: string, request: WireRequest): Promise<WireRequest> {
  await loadOurs(store, host, volumeOf(request));
  return request;
}

/** The volume that a request is about. */
export function volumeOf(request: WireRequest): string {
  return 'volumeId' in request.arguments ? request.arguments.volumeId : request.resourceId;
}

async function loadOurs(store: Store, host: string, volumeId: string) {
  const volume = await store.volumes.get(volumeId);
  if (volume === null) throw failure('VolumeNotFound', { id: volumeId });
  if (volume.host === null || serviceHost(volume.host) !== host) {
    const place = volume.host ?? 'on no backend yet';
    throw failure('InvalidVolume', { reason: `volume ${volumeId} is not on ${host} but ${place}; ask there` });
  }
  return volume;
}

/** An export ends with its last connection, so there is one to remove only where a connection was left half made. */
async function removeExport(store: Store, backend: Backend, volumeId: string): Promise<null> {
  const volume = await loadOurs(store, backend.serviceHost, volumeId);
  const attachments = await store.attachments.listByVolume(volumeId);
  if (consumersLeft(attachments, { attachmentId: '' }).length > 0) {
    const reason = `volume ${volumeId} is exported to somebody; delete its attachments, and the export goes with the last`;
    throw failure('InvalidVolume', { reason });
  }
  await disconnect({ backend }, volume, { connector: null, last: true });
  await store.volumes.updateIf(volumeId, {}, notExported);
  return null;
}

async function setFrozen(store: Store, host: string, frozen: boolean): Promise<boolean> {
  const service = await store.services.get(host, VOLUME_TOPIC);
  if (service === null) throw failure('ServiceNotFound', { binary: VOLUME_TOPIC, host });
  return (await store.services.setFrozen(service.id, frozen)) !== null;
}
