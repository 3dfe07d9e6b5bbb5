/**
 * The store's contract, as obligations. Implementations: PostgreSQL (src/db). One suite runs against each (test/suites/store.ts).
 *
 * - Reads never return deleted rows unless the query says so.
 * - `updateIf` is one conditional UPDATE: it changes the row and returns it only if the condition held at that moment.
 * - A transaction's callback sees its own writes; a thrown error rolls everything back; serialization failures and
 *   deadlocks are retried a bounded number of times, so the callback must have no effect outside of the store.
 * - A database that cannot be reached is `ConnectionFailed`.
 */
import type { Attachment, AttachmentChanges, NewAttachment } from '../model/attachment.ts';
import type { LeaseRecords } from '../model/lease.ts';
import type { NewOperation, Operation } from '../model/operation.ts';
import type { Service } from '../model/service.ts';
import type { NewSnapshot, Snapshot, SnapshotChanges } from '../model/snapshot.ts';
import type { AttachmentStatus, SnapshotStatus, VolumeStatus } from '../model/status.ts';
import type { UserMessage } from '../model/user-message.ts';
import type { NewVolume, Volume, VolumeChanges } from '../model/volume.ts';
import type { NewVolumeType, VolumeType } from '../model/volume-type.ts';
import type { RowChange } from '../rpcapi/wire/aftermath.ts';

export interface Store {
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;
  readonly attachments: AttachmentStore;
  readonly types: VolumeTypeStore;
  readonly services: ServiceStore;
  readonly quotas: QuotaStore;
  readonly operations: OperationStore;
  readonly leases: LeaseRecords;
  readonly peers: PeerStore;
  /** Runs work in one transaction. Not nestable: the inner Store's own `transaction` joins the outer one. */
  transaction<T>(work: (tx: Store) => Promise<T>): Promise<T>;
  /** Cheap round trip; throws ConnectionFailed. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ListQuery<Filters> {
  /** Only this project; null for all. */
  readonly projectId: string | null;
  readonly filters?: Filters;
  /** Model property names; `id` is always added last so that the order is total. Default createdAt desc. */
  readonly sort?: readonly { readonly key: string; readonly dir: 'asc' | 'desc' }[];
  /** Id of the last item of the previous page. An unknown one is a NotFound. */
  readonly marker?: string;
  readonly limit?: number;
  readonly offset?: number;
}

/** Each filter narrows; a value may be one or several. `metadata` must be contained. `nameLike` is a substring. */
export interface VolumeFilters {
  readonly id?: string | readonly string[];
  readonly name?: string | readonly string[];
  readonly nameLike?: string;
  readonly status?: VolumeStatus | readonly VolumeStatus[];
  readonly host?: string;
  readonly availabilityZone?: string;
  readonly bootable?: boolean;
  readonly multiattach?: boolean;
  readonly volumeTypeId?: string;
  readonly userId?: string;
  readonly sourceVolumeId?: string;
  readonly snapshotId?: string;
  readonly attachStatus?: string;
  readonly migrationStatus?: string;
  readonly sizeGb?: number;
  readonly createdAt?: DateRange;
  readonly updatedAt?: DateRange;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface DateRange {
  readonly gt?: Date;
  readonly gte?: Date;
  readonly lt?: Date;
  readonly lte?: Date;
  readonly eq?: Date;
  readonly neq?: Date;
}

/** All of it must hold for the UPDATE to happen. */
export interface VolumeCondition {
  readonly status?: VolumeStatus | readonly VolumeStatus[];
  readonly attachStatus?: string | readonly string[];
  /** Null: no migration under way (none ever, or one that ended). */
  readonly migrationStatus?: null;
  readonly host?: string | null;
  /** No snapshot that is not deleted. */
  readonly noSnapshots?: true;
  /** No attachment that is not deleted. */
  readonly noAttachments?: true;
  readonly sizeLessThanGb?: number;
  readonly multiattach?: boolean;
}

/** Metadata maps are replaced as a whole (`replace`) or merged key by key. Keys and values are 1-255 characters. */
export interface MetadataStore {
  setMetadata(id: string, metadata: Readonly<Record<string, string>>, mode: 'merge' | 'replace'): Promise<void>;
  /** True if the key was there. */
  deleteMetadataKey(id: string, key: string): Promise<boolean>;
}

export interface VolumeStore extends MetadataStore {
  /** Throws InvalidVolume, InvalidSnapshot or InvalidVolumeType where what it is made from is deleted or being deleted. */
  insert(volume: NewVolume): Promise<Volume>;
  get(id: string, options?: { readonly projectId?: string | null; readonly deleted?: boolean }): Promise<Volume | null>;
  /**
   * The row as it is now, held until the transaction ends; null where there is none. Whoever changes attachments or
   * snapshots of a volume locks it first and reads them after it: project, then volume, then what belongs to it.
   */
  lock(id: string): Promise<Volume | null>;
  list(query: ListQuery<VolumeFilters>): Promise<Volume[]>;
  count(query: Pick<ListQuery<VolumeFilters>, 'projectId' | 'filters'>): Promise<number>;
  /** Count and sum of sizes. */
  summary(query: Pick<ListQuery<VolumeFilters>, 'projectId' | 'filters'>): Promise<{ count: number; sizeGb: number }>;
  updateIf(id: string, condition: VolumeCondition, changes: VolumeChanges): Promise<Volume | null>;
  /** Replaces them as a whole. */
  setAdminMetadata(id: string, metadata: Readonly<Record<string, string>>): Promise<void>;
  /** All volumes of a `host@backend` (any pool, or none), by id, after the given id: keyset paging for start-up. */
  listByBackend(serviceHost: string, afterId: string | null, limit: number): Promise<Volume[]>;
  /** Sum of sizes and count per volumes.host value, for a `host@backend`; with null for all backends. */
  allocated(serviceHost: string | null): Promise<{ host: string; sizeGb: number; count: number }[]>;
}

export interface SnapshotFilters {
  readonly id?: string | readonly string[];
  readonly name?: string | readonly string[];
  readonly nameLike?: string;
  readonly status?: SnapshotStatus | readonly SnapshotStatus[];
  readonly volumeId?: string;
  readonly availabilityZone?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface SnapshotCondition {
  readonly status?: SnapshotStatus | readonly SnapshotStatus[];
  /** No volume that is being made from it (status creating, snapshot_id). */
  readonly notInUse?: true;
}

export interface SnapshotStore extends MetadataStore {
  /** Throws VolumeNotFound, or InvalidVolume where the volume is deleted or being deleted. */
  insert(snapshot: NewSnapshot): Promise<Snapshot>;
  get(
    id: string,
    options?: { readonly projectId?: string | null; readonly deleted?: boolean },
  ): Promise<Snapshot | null>;
  list(query: ListQuery<SnapshotFilters>): Promise<Snapshot[]>;
  count(query: Pick<ListQuery<SnapshotFilters>, 'projectId' | 'filters'>): Promise<number>;
  updateIf(id: string, condition: SnapshotCondition, changes: SnapshotChanges): Promise<Snapshot | null>;
  /** Snapshots of the volumes of a `host@backend`, by id, after the given id. */
  listByBackend(serviceHost: string, afterId: string | null, limit: number): Promise<Snapshot[]>;
}

export interface AttachmentFilters {
  readonly id?: string;
  readonly volumeId?: string | readonly string[];
  readonly instanceId?: string;
  readonly attachStatus?: AttachmentStatus | readonly AttachmentStatus[];
  readonly attachedHost?: string;
}

export interface AttachmentStore {
  /** Throws VolumeNotFound, or InvalidVolume where the volume is deleted or being deleted. */
  insert(attachment: NewAttachment): Promise<Attachment>;
  get(id: string, options?: { readonly projectId?: string | null }): Promise<Attachment | null>;
  /** projectId filters by the volume's project. */
  list(query: ListQuery<AttachmentFilters>): Promise<Attachment[]>;
  listByVolume(volumeId: string): Promise<Attachment[]>;
  updateIf(
    id: string,
    condition: { readonly attachStatus?: AttachmentStatus | readonly AttachmentStatus[] },
    changes: AttachmentChanges,
  ): Promise<Attachment | null>;
}

export interface VolumeTypeStore {
  insert(type: NewVolumeType): Promise<VolumeType>;
  get(id: string): Promise<VolumeType | null>;
  getByName(name: string): Promise<VolumeType | null>;
  list(query: { readonly isPublic?: boolean; readonly projectId?: string | null }): Promise<VolumeType[]>;
  /** Throws VolumeTypeExists for a name that another type has. */
  update(
    id: string,
    changes: Partial<Pick<VolumeType, 'name' | 'description' | 'isPublic'>>,
  ): Promise<VolumeType | null>;
  /** False where volumes of this type are left or it is gone. */
  remove(id: string): Promise<boolean>;
  /** Merges: keys that are not named stay. */
  setExtraSpecs(id: string, specs: Readonly<Record<string, string>>): Promise<void>;
  deleteExtraSpec(id: string, key: string): Promise<boolean>;
  countVolumes(id: string): Promise<number>;
  /** Projects that may use a private type. */
  listAccess(id: string): Promise<string[]>;
  addAccess(id: string, projectId: string): Promise<void>;
  removeAccess(id: string, projectId: string): Promise<boolean>;
}

export interface ServiceStore {
  /**
   * Inserts the row or takes over the one there is (same host and binary); report_count keeps counting. From then on the
   * service counts as Ashlar's, until the row is beaten by another.
   */
  register(service: {
    readonly host: string;
    readonly binary: string;
    readonly topic: string;
    readonly availabilityZone: string;
    readonly rpcCurrentVersion: string;
    readonly objectCurrentVersion: string;
    readonly disabledOnCreate: boolean;
    /** A uuid of this life of the process; one is made where none is given. */
    readonly instance?: string;
    /** No sign of life: the row is there, and the service counts as down until it beats. */
    readonly silent?: boolean;
  }): Promise<Service>;
  /** report_count + 1 and updated_at = the database's now. False where the row is gone. */
  heartbeat(id: number): Promise<boolean>;
  get(host: string, binary: string): Promise<Service | null>;
  list(filters?: { readonly host?: string; readonly binary?: string }): Promise<Service[]>;
  /** The services that are not Ashlar's: never registered here, or beating without us since. */
  listForeign(filters?: { readonly host?: string; readonly binary?: string }): Promise<Service[]>;
  setDisabled(id: number, disabled: boolean, reason: string | null): Promise<Service | null>;
  setFrozen(id: number, frozen: boolean): Promise<Service | null>;
}

/** Limits of a project; -1 is unlimited. Resource names are Cinder's: volumes, snapshots, gigabytes, … and per type. */
export interface QuotaStore {
  /** Explicit limits of the project (quotas table). */
  limits(projectId: string): Promise<Readonly<Record<string, number>>>;
  /** Limits of the class `default` (quota_classes table). */
  classLimits(className: string): Promise<Readonly<Record<string, number>>>;
  setLimits(projectId: string, limits: Readonly<Record<string, number>>): Promise<void>;
  /** Takes every explicit limit of the project away; without any, nothing happens. */
  deleteLimits(projectId: string): Promise<void>;
  /** Counted from the rows themselves, so that usage cannot drift. */
  usage(projectId: string): Promise<{ volumes: number; snapshots: number; volumeGb: number; snapshotGb: number }>;
  /**
   * Brings the counters that a Cinder keeps for itself (quota_usages) to what the rows say, where they differ and no
   * reservation of a Cinder is open on them; returns how many were changed. Rows that a Cinder never made are not made.
   */
  refreshPeerUsages(options: { readonly noSnapshotGb: boolean }): Promise<number>;
  /** Holds every other submit of the project back until this transaction ends. Only inside a transaction. */
  lockProject(projectId: string): Promise<void>;
}

/** A volume's row that is changed only while it is in one of these statuses. */
export interface VolumeRowChange {
  readonly volumeId: string;
  readonly during: readonly VolumeStatus[];
  readonly changes: Omit<VolumeChanges, 'deleted'>;
}

export interface OperationStore {
  /** Durable once the transaction commits. A second record with the same id is not inserted and returns false. */
  record(operation: NewOperation): Promise<boolean>;
  /**
   * The record, made in one statement for a volume that stands on the operation's owner. Null, and no record, where it does
   * not stand there, the id is known, or (`single`) an unfinished record of this method and resource is there.
   */
  recordForVolume(
    operation: NewOperation,
    of: { readonly volumeId: string; readonly single: boolean },
  ): Promise<Operation | null>;
  get(id: string): Promise<Operation | null>;
  /**
   * Takes the operation for a worker: state running, attempt + 1. Null unless it is queued for this owner, or running
   * under a worker other than the given one where `steal` says that worker is known to be dead.
   */
  claim(id: string, owner: string, worker: string, options?: { readonly steal?: boolean }): Promise<Operation | null>;
  /**
   * Hands an operation on (scheduler to volume service, or back): queued for the new owner, attempt unchanged. With a
   * worker it has to be running under that one, without it has to be queued. Null if `from` no longer owned it.
   */
  handOver(
    id: string,
    from: { readonly owner: string; readonly worker?: string },
    to: string,
    changes?: { readonly arguments?: Readonly<Record<string, unknown>> },
  ): Promise<Operation | null>;
  /** Forgets a record that nobody has begun with: true where it was queued for that owner and never tried. */
  withdraw(id: string, owner: string): Promise<boolean>;
  /** Ends it. False if the worker no longer holds it (fenced): the caller's transaction must then roll back. */
  finish(
    id: string,
    worker: string | null,
    outcome:
      | { readonly state: 'done'; readonly result?: unknown }
      | { readonly state: 'failed'; readonly code: string; readonly error: string },
  ): Promise<boolean>;
  /**
   * Ends it as done, without a result, and changes its volume's row, in one statement. False, and nothing changed, where the
   * worker no longer holds it or the volume is in none of the statuses.
   */
  finishWithVolume(id: string, worker: string, change: VolumeRowChange): Promise<boolean>;
  /** Queued operations of all these owners, oldest first: for what has to be settled on behalf of others. */
  listQueuedOf(owners: readonly string[], limit: number): Promise<Operation[]>;
  /** Queued or running operations of an owner, oldest first, after the given id's place. */
  listUnfinished(owner: string, limit: number): Promise<Operation[]>;
  /** All operations of a resource, newest first. */
  history(resourceId: string, limit: number): Promise<Operation[]>;
  /** Those of a volume, of its snapshots and of its attachments, gone ones too, newest first. For diagnosis: no index serves it. */
  historyOfVolume(volumeId: string, limit: number): Promise<Operation[]>;
  /** Failed operations of a project, newest first: what the API shows as messages. */
  listFailed(
    projectId: string | null,
    query: { readonly limit: number; readonly resourceId?: string },
  ): Promise<Operation[]>;
  /** Removes finished operations older than the age; returns how many. */
  prune(olderThanSeconds: number, limit: number): Promise<number>;
}

/** What a Cinder beside us reads and writes of a request, beyond the rows of volumes. Nothing here needs one to be there. */
export interface PeerStore {
  /** Commits or rolls back reservations that a peer left open; those that are settled already stay. How many it were. */
  settleReservations(ids: readonly string[], outcome: 'commit' | 'rollback'): Promise<number>;
  /** Takes what is deleted off the usage that a peer keeps of the project, if it does; in the same transaction. */
  freeUsage(
    projectId: string | null,
    freed: {
      readonly volumes: number;
      readonly snapshots: number;
      readonly gb: number;
      readonly volumeTypeId: string;
    },
  ): Promise<void>;
  /** A message that the users of a peer's API see. */
  addMessage(
    message: UserMessage,
    who: { readonly projectId: string | null; readonly requestId: string },
  ): Promise<void>;
  /** Gives rows back that a peer set to a status for work that is not done; those that moved on are left. How many. */
  giveBack(changes: readonly RowChange[]): Promise<number>;
  /** The number of the reason in the newest message that a peer left about the request; null without one. */
  reasonOf(resourceId: string, requestId: string): Promise<string | null>;
  isEncryptedType(volumeTypeId: string): Promise<boolean>;
  /** True where a peer's service has noted that it began with this volume or snapshot. */
  wasBegun(resourceId: string): Promise<boolean>;
}
