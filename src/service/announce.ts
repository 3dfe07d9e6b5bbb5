/**
 * Announcements: each part says what it does to a volume, and where notifications are on they are sent. Off, which is
 * usual, an announcement costs one look at an empty set; on, nobody waits for it either.
 */
import type { Store } from '../db/store.ts';
import type { RequestContext } from '../model/context.ts';
import { failure } from '../model/errors.ts';
import { contextOf, type Operation } from '../model/operation.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import type { VolumeType } from '../model/volume-type.ts';
import type { Notification, Notifier } from '../rpc/notifier.ts';
import { requestArguments } from '../rpcapi/requests.ts';
import { snapshotUsage, unplacedUsage, volumeTypeUsage, volumeUsage } from '../rpcapi/wire/usage.ts';

export interface Announcement extends Omit<Notification, 'publisherId'> {
  /** `volume`, `snapshot`, `scheduler`, `volumeType`. */
  readonly publisher: string;
  /** Null: this node. */
  readonly host: string | null;
}

const listeners = new Set<(announcement: Announcement) => void>();

export function announce(announcement: Announcement): void {
  for (const listener of listeners) listener(announcement);
}

/** Calls the listener with every announcement from now on, until what it returns is called. */
export function onAnnouncement(listener: (announcement: Announcement) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** From now on they go to the notifier; `host` is this node's name. */
export function sendAnnouncements(notifier: Notifier, host: string): () => void {
  return onAnnouncement(({ publisher, host: given, ...notification }) =>
    notifier.notify({ ...notification, publisherId: `${publisher}.${given ?? host}` }),
  );
}

interface Occasion<Row> {
  /** What follows `volume.` or `snapshot.`: `create.start`. */
  readonly event: string;
  readonly context: RequestContext;
  /** Who says it; without it this node. */
  readonly host?: string | undefined;
  /** Further fields, or others. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly priority?: Notification['priority'];
  /** As the row is to be shown. With `reread`, as it is in the database by then, where it is there. */
  readonly row: Row;
  readonly reread?: boolean;
}

export function announceVolume(store: Store, occasion: Occasion<Volume>): void {
  const { event, context, host = null, priority = 'info', row, reread = false, extra = {} } = occasion;
  announce({
    ...{ publisher: 'volume', host, eventType: `volume.${event}`, priority, context },
    async payload() {
      const volume = (reread ? await store.volumes.get(row.id) : null) ?? row;
      return { ...volumeUsage(volume, await store.attachments.listByVolume(row.id)), ...extra };
    },
  });
}

export function announceSnapshot(store: Store, occasion: Occasion<Snapshot>): void {
  const { event, context, host = null, priority = 'info', row, reread = false, extra = {} } = occasion;
  announce({
    ...{ publisher: 'snapshot', host, eventType: `snapshot.${event}`, priority, context },
    async payload() {
      const snapshot = (reread ? await store.snapshots.get(row.id) : null) ?? row;
      return { ...snapshotUsage(snapshot, await store.volumes.get(row.volumeId)), ...extra };
    },
  });
}

export function announceVolumeType({ event, context, row }: Omit<Occasion<VolumeType>, 'extra'>): void {
  announce({
    ...{ publisher: 'volumeType', host: null, eventType: `volume_type.${event}`, priority: 'info', context },
    payload: async () => volumeTypeUsage(row),
  });
}

/** A volume that no place was found for, with the reason. */
export function announceUnplaced(store: Store, operation: Operation, volume: Volume, reason: string): void {
  announce({
    ...{ publisher: 'scheduler', host: null, eventType: 'scheduler.create_volume', priority: 'error' },
    context: contextOf(operation),
    async payload() {
      const type = await store.types.get(volume.volumeTypeId);
      if (type === null) throw failure('VolumeTypeNotFound', { id: volume.volumeTypeId });
      const { source } = requestArguments.create_volume.parse(operation.arguments);
      return unplacedUsage({ volume, type, attachments: [] }, source, reason);
    },
  });
}
