/**
 * The contract of a target (what exports a device to initiators), as obligations. One suite: test/suites/target.ts.
 *
 * - The database is the truth: an ExportRequest says all there is to say, credentials included; files and the target
 *   daemon's state are derived from it and may be made again at any time.
 * - Every method is idempotent. `createExport` of what is exported rightly changes nothing and ends no session.
 *   `removeExport` of what is not there succeeds, and after it nothing of the export is left: no target, account, file.
 * - The daemon is asked what is; only what differs is changed. Other targets are never touched.
 * - A failure never removes an export that works.
 * - Secrets are never in argv, logs or error texts; files that hold them are 0600.
 */
import type { Option, Options, ValuesOf } from '../config/options.ts';
import type { Logger } from '../log/logger.ts';
import type { Connector } from '../model/connector.ts';
import type { DriverVolume } from './driver.ts';
import type { Executor } from './executor.ts';

export interface ChapCredentials {
  readonly username: string;
  readonly password: string;
}

/** What should be exported. The credentials were recorded before the call. */
export interface ExportRequest {
  readonly volume: DriverVolume;
  readonly devicePath: string;
  readonly chap: ChapCredentials | null;
  /**
   * Who is connected by the database's word: they are let in again where a target that lost everything forgot them. Whom
   * the target lets in besides stays.
   */
  readonly connectors?: readonly Connector[];
}

/** `providerLocation` is `portal:port[;portal:port…],tpgt iqn lun` for iSCSI. */
export interface ExportRecord {
  readonly providerLocation: string;
}

export interface ConnectionInfo {
  /** `iscsi`, `nvmeof`, … */
  readonly driver_volume_type: string;
  /** What os-brick's connector takes. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Target {
  readonly storageProtocol: string;
  setUp(): Promise<void>;
  createExport(request: ExportRequest): Promise<ExportRecord>;
  /**
   * Makes every wanted export be there: one listing, a comparison, repair of what differs, several at a time, in the
   * order given. Live sessions stay. The answer has an entry for each request, an Error where it could not be made.
   */
  ensureExports(requests: readonly ExportRequest[]): Promise<ReadonlyMap<string, ExportRecord | Error>>;
  removeExport(volume: Pick<DriverVolume, 'id' | 'name'>): Promise<void>;
  /** Lets the initiator in and says how to connect. Throws InvalidConnector where the connector lacks what is needed. */
  initializeConnection(
    volume: DriverVolume,
    exported: ExportRecord & { readonly chap: ChapCredentials | null },
    connector: Connector,
  ): Promise<ConnectionInfo>;
  /** Takes the initiator's right away again; null for all of them. Other initiators keep theirs. */
  terminateConnection(volume: Pick<DriverVolume, 'id' | 'name'>, connector: Connector | null): Promise<void>;
  /** Names of the volumes that this target exports for us now: what an audit compares with the database. */
  list(): Promise<readonly string[]>;
}

export interface TargetContext<O extends Options> {
  readonly backend: string;
  readonly options: ValuesOf<O>;
  readonly executor: Executor;
  readonly log: Logger;
}

/** A target's module: what `target_helper` names (`tgtadm`, `lioadm`, `nvmet`, `ietadm`, `fake`). */
export interface TargetModule {
  readonly name: string;
  /** Values of target_helper that mean this one. */
  readonly aliases: readonly string[];
  readonly options: Options;
  open(context: TargetContext<Options>): Target;
}

export function defineTarget<O extends Record<string, Option<unknown>>>(module: {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly options: O;
  readonly open: (context: TargetContext<O>) => Target;
}): TargetModule {
  return { ...module, aliases: module.aliases ?? [], open: (context) => module.open(context as never) };
}
