/**
 * The contract of a volume driver, as obligations. One suite runs against every driver: test/suites/volume-driver.ts.
 *
 * - Every method is idempotent: called again after it succeeded, or after it was cut off anywhere by a crash, it ends in
 *   the same state and succeeds. `createVolume` of a volume that is whole does nothing; of a half-made one, makes it whole.
 *   `deleteVolume` and `deleteSnapshot` of something that is not there succeed.
 * - A method either does all of its work or throws; what it leaves behind when it throws, the matching delete removes.
 * - A new volume reads as zeros (thick or thin); no byte of an earlier volume is ever readable in it.
 * - Methods for different volumes may run at the same time; the caller runs at most one at a time for one volume, and
 *   holds a source's lock while something is made from it.
 * - Nothing is kept in memory that a restart may not lose.
 * - Failures are AshlarErrors with a sentence for people: BackendFull, VolumeIsBusy, SnapshotIsBusy, VolumeNotFound,
 *   SnapshotNotFound, VolumeBackendAPIException. A command's own error may be let through.
 * - What is not ours (another name, no owner tag) is never touched.
 */
import type { Option, Options, ValuesOf } from '../config/options.ts';
import type { Logger } from '../log/logger.ts';
import type { Capacity } from '../model/capacity.ts';
import type { Executor } from './executor.ts';

/** A volume as a driver sees it. */
export interface DriverVolume {
  readonly id: string;
  /** The name on the backend, from volume_name_template: `volume-<uuid>`. */
  readonly name: string;
  readonly sizeGb: number;
  /** The pool part of its host, null where none was given. */
  readonly pool: string | null;
  readonly providerId: string | null;
  readonly extraSpecs: Readonly<Record<string, string>>;
}

export interface DriverSnapshot {
  readonly id: string;
  /** From snapshot_name_template: `snapshot-<uuid>`. */
  readonly name: string;
  readonly volume: DriverVolume;
  /** The volume's size when it was taken. */
  readonly sizeGb: number;
  readonly providerId: string | null;
}

export interface VolumeDriver {
  /** Checks the backend and makes what has to be there (a directory, a thin pool). May be called again after a failure. */
  setUp(): Promise<void>;
  createVolume(volume: DriverVolume): Promise<void>;
  /** The new volume may be larger than the snapshot: the rest reads as zeros. */
  createVolumeFromSnapshot(volume: DriverVolume, snapshot: DriverSnapshot): Promise<void>;
  /** A copy of the source as it is now; may be larger. */
  createClonedVolume(volume: DriverVolume, source: DriverVolume): Promise<void>;
  deleteVolume(volume: DriverVolume): Promise<void>;
  /** Grows to newSizeGb; at that size or larger already: nothing to do. */
  extendVolume(volume: DriverVolume, newSizeGb: number): Promise<void>;
  createSnapshot(snapshot: DriverSnapshot): Promise<void>;
  deleteSnapshot(snapshot: DriverSnapshot): Promise<void>;
  /**
   * The volume reads as the snapshot does, whatever was written since; the snapshot stays. Called for a volume that is not
   * in use. What fails half-way is done again, or the volume is deleted. Absent where the backend cannot.
   */
  revertToSnapshot?(volume: DriverVolume, snapshot: DriverSnapshot): Promise<void>;
  /** The block device or file that a target exports. Makes it usable (activates it) where needed. */
  devicePath(volume: DriverVolume): Promise<string>;
  /** Measured now; the caller decides how often. */
  stats(): Promise<DriverStats>;
  /** The pool that holds the volume, for rows without one. Null where the driver does not know it. */
  poolOf(volume: DriverVolume): Promise<string | null>;
  /** Every volume and snapshot of ours on the backend, by backend name: what an audit compares with the database. */
  list(): Promise<readonly DriverObject[]>;
  /**
   * Work that nobody waits for, such as erasing what was deleted: all that there is to do now. Called after the backend came
   * up, after what gives space back, and every few minutes; never twice at a time, beside every other method. `signal`, a
   * kill, or an error ends it anywhere; the next call goes on. True where something became free. It costs nothing when idle.
   */
  maintain?(signal: AbortSignal): Promise<boolean>;
}

export interface DriverObject {
  readonly name: string;
  readonly kind: 'volume' | 'snapshot';
  readonly sizeBytes: number;
}

export interface DriverStats {
  readonly vendorName: string;
  readonly driverVersion: string;
  readonly pools: readonly DriverPoolStats[];
}

export interface DriverPoolStats {
  readonly name: string;
  readonly total: Capacity;
  readonly free: Capacity;
  /** Sum of virtual sizes on the backend, GiB. */
  readonly provisionedGb: number;
  readonly thinProvisioning: boolean;
  readonly thickProvisioning: boolean;
  readonly totalVolumes: number;
  /** Further capabilities, for extra specs. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What a driver gets when it is opened. Values are of the backend's own group. */
export interface DriverContext<O extends Options> {
  /** The backend's group name: `lvm` of `enabled_backends = lvm`. */
  readonly backend: string;
  readonly options: ValuesOf<O>;
  readonly executor: Executor;
  readonly log: Logger;
}

/** A driver's module: what `volume_driver` names. */
export interface DriverModule {
  /** Short name, the folder's or file's. */
  readonly name: string;
  /** Other values of volume_driver that mean this driver, such as Cinder's class path. */
  readonly aliases: readonly string[];
  readonly options: Options;
  open(context: DriverContext<Options>): VolumeDriver;
}

/** Ties the option types of a driver to its `open`. */
export function defineDriver<O extends Record<string, Option<unknown>>>(module: {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly options: O;
  readonly open: (context: DriverContext<O>) => VolumeDriver;
}): DriverModule {
  return { ...module, aliases: module.aliases ?? [], open: (context) => module.open(context as never) };
}
