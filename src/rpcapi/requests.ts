/**
 * The methods that are recorded as operations, and their arguments. An operation's `resourceId` names the volume,
 * snapshot or attachment; what else the work needs stands in the arguments. No secret is ever among them.
 */
import { z } from 'zod';

/** The owner value of operations that a scheduler has to act on first; also its topic. */
export const SCHEDULER_TOPIC = 'cinder-scheduler';
/** The topic of volume services; one is reached at its `host@backend`. */
export const VOLUME_TOPIC = 'cinder-volume';

const connector = z.record(z.string(), z.unknown());

/** Reservations of quota that a peer left open: committed or rolled back together with the operation's end. */
const reservations = z.array(z.string()).default([]);

export const requestArguments = {
  /** resource: volume (status creating). Owner: the scheduler, then the volume service that it chose. */
  create_volume: z.object({
    source: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('blank') }),
      z.object({ kind: z.literal('snapshot'), snapshotId: z.string() }),
      z.object({ kind: z.literal('volume'), volumeId: z.string() }),
    ]),
    /** `host@backend#pool` where the source lives, the only place that can copy it; null for a blank volume. */
    pinnedHost: z.string().nullable(),
    availabilityZone: z.string().nullable(),
    /** Backends that already failed at it: `host@backend#pool`. */
    excludedHosts: z.array(z.string()),
    /** What each of them said, by the same names. */
    failures: z.record(z.string(), z.string()).default({}),
  }),
  /** resource: volume (status deleting). */
  delete_volume: z.object({ force: z.boolean(), cascade: z.boolean() }),
  /** resource: volume (status extending). Owner: the scheduler (is there room?), then the volume service. */
  extend_volume: z.object({ newSizeGb: z.number().int().positive(), reservations }),
  /** resource: volume (status retyping). Gives it another type where it is. */
  retype: z.object({
    newTypeId: z.string(),
    /** `host@backend#pool` that was chosen for the new type. */
    host: z.string(),
    reservations,
  }),
  /** resource: snapshot (status creating). */
  create_snapshot: z.object({ volumeId: z.string() }),
  /** resource: snapshot (status deleting). */
  delete_snapshot: z.object({ volumeId: z.string() }),
  /** resource: attachment. Answers the connection information. */
  attachment_update: z.object({
    volumeId: z.string(),
    connector,
    /** The same request made the attachment: a failure takes it away again. */
    created: z.boolean().default(false),
  }),
  /** resource: attachment (attach status detaching). */
  attachment_delete: z.object({ volumeId: z.string() }),
  /** resource: volume. Answers `{driver_volume_type, data}`. */
  initialize_connection: z.object({ connector }),
  /** resource: volume. A null connector means every initiator. */
  terminate_connection: z.object({ connector: connector.nullable(), force: z.boolean() }),
  /** resource: volume. Records a consumer that is attached: status in-use. Answers the attachment, as a versioned object. */
  attach_volume: z.object({
    attachmentId: z.string(),
    instanceId: z.string().nullable(),
    hostName: z.string().nullable(),
    mountpoint: z.string().nullable(),
    mode: z.enum(['rw', 'ro']),
  }),
  /** resource: volume. Ends one consumer (null: the only one); the export goes with the last. */
  detach_volume: z.object({ attachmentId: z.string().nullable() }),
} as const;

export type OperationMethod = keyof typeof requestArguments;
export type RequestArguments<M extends OperationMethod> = z.infer<(typeof requestArguments)[M]>;
