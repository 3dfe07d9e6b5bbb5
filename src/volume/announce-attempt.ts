/** What notifications say of an attempt: that it begins, how it ends. */
import type { Store } from '../db/store.ts';
import { AshlarError, messageOf } from '../model/errors.ts';
import { contextOf, type Operation } from '../model/operation.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Volume } from '../model/volume.ts';
import type { OperationMethod } from '../rpcapi/requests.ts';
import { announceSnapshot, announceVolume } from '../service/announce.ts';

export type Moment =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly error: unknown };

interface Names {
  readonly start?: string;
  readonly end?: string;
  readonly error: string;
}

/** A Cinder has no names for failures; the end of a connection is told by who records it, the API. */
const events: Partial<Record<OperationMethod, Names>> = {
  create_volume: { start: 'create.start', end: 'create.end', error: 'create.error' },
  delete_volume: { start: 'delete.start', end: 'delete.end', error: 'delete.error' },
  extend_volume: { start: 'resize.start', end: 'resize.end', error: 'resize.error' },
  retype: { end: 'retype', error: 'retype.error' },
  create_snapshot: { start: 'create.start', end: 'create.end', error: 'create.error' },
  delete_snapshot: { start: 'delete.start', end: 'delete.end', error: 'delete.error' },
  attachment_update: { start: 'attach.start', error: 'attach.error' },
  attachment_delete: { start: 'detach.start', error: 'detach.error' },
  attach_volume: { start: 'attach.start', end: 'attach.end', error: 'attach.error' },
  detach_volume: { start: 'detach.start', end: 'detach.end', error: 'detach.error' },
};

const ERROR_LENGTH = 1000;

/** `subject`: what the operation has loaded, a volume or rows by their names. Never throws. */
export function announceAttempt(
  {
    store,
    serviceHost,
    operation,
  }: { readonly store: Store; readonly serviceHost: string; readonly operation: Operation },
  subject: unknown,
  moment: Moment,
): void {
  const event = events[operation.method as OperationMethod]?.[moment.kind];
  if (event === undefined || typeof subject !== 'object' || subject === null) return;
  const rows = subject as { readonly volume?: Volume; readonly snapshot?: Snapshot };
  const isGone = moment.kind === 'end' && operation.method.startsWith('delete_');
  const gone = isGone ? ({ status: 'deleted', deleted: true } as const) : {};
  const occasion = {
    event,
    context: contextOf(operation),
    host: serviceHost,
    reread: moment.kind !== 'start' && !isGone,
    ...(moment.kind === 'error' ? ({ priority: 'error', extra: { error: described(moment.error) } } as const) : {}),
  };
  if (rows.snapshot !== undefined) {
    announceSnapshot(store, { ...occasion, row: { ...rows.snapshot, ...gone } });
    return;
  }
  const volume = rows.volume ?? (subject as Volume);
  // A new volume is announced by its pool.
  const host = operation.method === 'create_volume' ? (volume.host ?? serviceHost) : serviceHost;
  announceVolume(store, { ...occasion, host, row: { ...volume, ...gone } });
}

function described(error: unknown) {
  return {
    code: error instanceof AshlarError ? error.code : 'Internal',
    message: messageOf(error).slice(0, ERROR_LENGTH),
  };
}
