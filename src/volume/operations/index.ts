/** The roll-call: every operation that the volume service knows. */
import type { AnyOperation } from '../operation.ts';
import { attachVolume } from './attach-volume.ts';
import { attachmentDelete } from './attachment-delete.ts';
import { attachmentUpdate } from './attachment-update.ts';
import { createSnapshot } from './create-snapshot.ts';
import { createVolume } from './create-volume.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { deleteVolume } from './delete-volume.ts';
import { detachVolume } from './detach-volume.ts';
import { extendVolume } from './extend-volume.ts';
import { initializeConnection } from './initialize-connection.ts';
import { retype } from './retype.ts';
import { terminateConnection } from './terminate-connection.ts';

export const operations: readonly AnyOperation[] = [
  createVolume,
  deleteVolume,
  extendVolume,
  retype,
  createSnapshot,
  deleteSnapshot,
  attachmentUpdate,
  attachmentDelete,
  initializeConnection,
  terminateConnection,
  attachVolume,
  detachVolume,
];

/** Those that let an initiator in or out: quick, and no status of a row keeps another request away meanwhile. */
export const connectionMethods: ReadonlySet<string> = new Set(
  operations.filter(({ changesCapacity }) => changesCapacity !== true).map(({ method }) => method as string),
);
