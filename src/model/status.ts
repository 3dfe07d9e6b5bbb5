/**
 * THE transition table. The API's guard, the conditional UPDATEs, the status after a failure and what start-up recovery
 * does all read it. Statuses are Cinder's words (Block Storage v3).
 */
export type VolumeStatus =
  | 'creating'
  | 'available'
  | 'reserved'
  | 'attaching'
  | 'in-use'
  | 'detaching'
  | 'extending'
  | 'retyping'
  | 'maintenance'
  | 'uploading'
  | 'downloading'
  | 'backing-up'
  | 'restoring-backup'
  | 'awaiting-transfer'
  | 'managing'
  | 'reverting'
  | 'deleting'
  | 'deleted'
  | 'error'
  | 'error_deleting'
  | 'error_extending'
  | 'error_managing'
  | 'error_restoring'
  | 'error_backing-up';

export type SnapshotStatus =
  | 'creating'
  | 'available'
  | 'deleting'
  | 'deleted'
  | 'error'
  | 'error_deleting'
  | 'restoring'
  | 'unmanaging'
  | 'backing-up'
  | 'updating';

/** volumes.attach_status. */
export type AttachStatus = 'detached' | 'attaching' | 'attached' | 'detaching' | 'error_attaching' | 'error_detaching';

/** volume_attachment.attach_status. */
export type AttachmentStatus =
  | 'reserved'
  | 'attaching'
  | 'attached'
  | 'detaching'
  | 'detached'
  | 'error_attaching'
  | 'error_detaching'
  | 'deleted';

/** Work with a beginning and an end. `previous` means: the status the request found (volumes.previous_status). */
export interface Transition<S extends string> {
  /** In which statuses a request is taken. Empty where the request creates the row. */
  readonly accepts: readonly S[];
  /** The status while the work waits or runs; begin and finish both require it. */
  readonly during: S;
  readonly done: S | 'previous';
  readonly failed: S | 'previous';
  /** What start-up does with work that a crash interrupted: run the idempotent operation again, or take it back. */
  readonly recover: 'redo' | 'undo';
}

export const volumeTransitions = {
  create: { accepts: [], during: 'creating', done: 'available', failed: 'error', recover: 'redo' },
  remove: {
    accepts: ['available', 'error', 'error_deleting', 'error_extending', 'error_managing', 'error_restoring'],
    during: 'deleting',
    done: 'deleted',
    failed: 'error_deleting',
    recover: 'redo',
  },
  extend: {
    accepts: ['available'],
    during: 'extending',
    done: 'previous',
    failed: 'error_extending',
    recover: 'redo',
  },
  /** In place: nothing is done to the bytes, so a failure leaves it as it was. */
  retype: {
    accepts: ['available', 'in-use'],
    during: 'retyping',
    done: 'previous',
    failed: 'previous',
    recover: 'redo',
  },
} as const satisfies Record<string, Transition<VolumeStatus>>;

export const snapshotTransitions = {
  create: { accepts: [], during: 'creating', done: 'available', failed: 'error', recover: 'redo' },
  remove: {
    accepts: ['available', 'error', 'error_deleting'],
    during: 'deleting',
    done: 'deleted',
    failed: 'error_deleting',
    recover: 'redo',
  },
} as const satisfies Record<string, Transition<SnapshotStatus>>;

export const attachmentTransitions = {
  /** attachment_update: the export is made, the initiator may log in. */
  connect: {
    accepts: ['reserved', 'attaching', 'error_attaching'],
    during: 'reserved',
    done: 'attaching',
    failed: 'error_attaching',
    recover: 'redo',
  },
  /** attachment_delete: the consumer goes, and with the last one the export. */
  disconnect: {
    accepts: ['reserved', 'attaching', 'attached', 'detaching', 'error_attaching', 'error_detaching'],
    during: 'detaching',
    done: 'deleted',
    failed: 'error_detaching',
    recover: 'redo',
  },
} as const satisfies Record<string, Transition<AttachmentStatus>>;

/**
 * Connection work leaves the volume's status to the caller's own steps (reserve, attach, …), so only recovery is said
 * here. An interrupted initialize_connection is taken back: its caller is gone and nobody holds the credentials.
 */
export const connectionRecovery = {
  initialize: 'undo',
  terminate: 'redo',
  attach: 'redo',
  detach: 'redo',
} as const satisfies Record<string, 'redo' | 'undo'>;

/** A change of status that is done the moment it is asked for: one conditional UPDATE, no work behind it. */
export interface Step<S extends string> {
  readonly from: readonly S[];
  readonly to: S;
}

export const volumeSteps = {
  /** POST attachments. */
  reserveForAttachment: { from: ['available'], to: 'reserved' },
  /** os-reserve. */
  reserve: { from: ['available'], to: 'attaching' },
  /** os-unreserve of a volume that nobody else uses. */
  unreserve: { from: ['attaching'], to: 'available' },
  /** os-unreserve of a multiattach volume that another consumer has. */
  unreserveShared: { from: ['attaching'], to: 'in-use' },
  /** os-begin_detaching. */
  beginDetaching: { from: ['in-use'], to: 'detaching' },
  /** os-roll_detaching. */
  rollDetaching: { from: ['detaching'], to: 'in-use' },
} as const satisfies Record<string, Step<VolumeStatus>>;

export const attachmentSteps = {
  /** os-complete of an attachment. */
  complete: { from: ['attaching', 'reserved'], to: 'attached' },
} as const satisfies Record<string, Step<AttachmentStatus>>;

/** What a volume's status and attach_status are, given the attachments it still has. */
export function statusFromAttachments(statuses: readonly AttachmentStatus[]): {
  readonly status: VolumeStatus;
  readonly attachStatus: AttachStatus;
} {
  if (statuses.includes('attached')) return { status: 'in-use', attachStatus: 'attached' };
  if (statuses.includes('detaching')) return { status: 'detaching', attachStatus: 'attached' };
  if (statuses.includes('attaching')) return { status: 'attaching', attachStatus: 'attaching' };
  if (statuses.includes('reserved')) return { status: 'reserved', attachStatus: 'detached' };
  if (statuses.includes('error_attaching')) return { status: 'error', attachStatus: 'error_attaching' };
  if (statuses.includes('error_detaching')) return { status: 'error', attachStatus: 'error_detaching' };
  return { status: 'available', attachStatus: 'detached' };
}
