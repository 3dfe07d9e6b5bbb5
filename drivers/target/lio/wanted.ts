/** From an export request and the options to what LIO should have. Pure. */
import {
  type ChapCredentials,
  type Connector,
  checkedName,
  type ExportRequest,
  failure,
  renderPortal,
  serialOf,
  type ValuesOf,
} from '#driver';
import type { options } from './options.ts';

export type LioOptions = ValuesOf<typeof options>;

/** What there is to know about a device before LIO opens it. */
export interface Device {
  readonly kind: 'block' | 'file';
  readonly sizeBytes: number;
  /** It can be told that blocks are no longer used. */
  readonly discards: boolean;
}

export interface WantedExport {
  readonly volumeId: string;
  /** The target's name, and the storage object's. */
  readonly iqn: string;
  readonly plugin: 'iblock' | 'fileio';
  /** Number of the object's HBA, made of the volume's id, so that nobody has to look for a free one. */
  readonly hbaNumber: number;
  readonly devicePath: string;
  /** Null for a block device, whose size LIO asks for itself. */
  readonly fileBytes: number | null;
  readonly discards: boolean;
  readonly writeCache: boolean;
  readonly serial: string;
  readonly chap: ChapCredentials | null;
  readonly mutualChap: ChapCredentials | null;
  readonly portals: readonly [string, ...string[]];
  /** Initiators that have to be let in, beside those that are. */
  readonly initiators: readonly string[];
}

/** The logical unit that Cinder gives LIO's initiators. */
export const LUN = 0;

/** Throws ExportFailure for what LIO cannot express. */
export function wantedExport(request: ExportRequest, device: Device, values: LioOptions): WantedExport {
  const { volume, devicePath, chap, connectors = [] } = request;
  const refuse = (reason: string) => failure('ExportFailure', { id: volume.id, reason });
  if (!devicePath.startsWith('/') || /[,\n\r\0]/.test(devicePath)) {
    throw refuse(`LIO takes absolute paths without commas and line breaks, not '${devicePath}'. Move the device.`);
  }
  if (chap !== null && !(isPlain(chap.username) && isPlain(chap.password))) {
    throw refuse(
      'its CHAP user name or password is empty, too long, begins with NULL or is not printable. Give it others.',
    );
  }
  const mutualChap = chap === null ? null : mutualChapOf(values);
  const serial = serialOf(volume.id);
  return {
    volumeId: volume.id,
    iqn: iqnOf(volume, values),
    plugin: device.kind === 'block' ? 'iblock' : 'fileio',
    hbaNumber: hbaNumberOf(volume.id),
    devicePath,
    fileBytes: device.kind === 'file' ? device.sizeBytes : null,
    discards: device.discards,
    writeCache: device.kind === 'file' && values.iscsi_write_cache !== 'off',
    serial,
    chap,
    mutualChap,
    portals: portalsOf(values),
    initiators: connectors.map(initiatorOf).filter((name) => name !== null),
  };
}

export function iqnOf(volume: { readonly id: string; readonly name: string }, values: LioOptions): string {
  const name = values.target_prefix + checkedName(volume);
  // rtslib, and with it targetcli, refuses to work while there is a target of another form.
  if (/^iqn\.\d{4}-[0-1][0-9]\.\S*\.\S*$/.test(name.split(':')[0]!)) return name.toLowerCase();
  const reason = `'${name}' is no name for a target: iqn.YEAR-MONTH.a.domain:name. Change target_prefix.`;
  throw failure('ExportFailure', { id: volume.id, reason });
}

export function portalsOf(values: LioOptions): readonly [string, ...string[]] {
  const { target_ip_address: first, iscsi_secondary_ip_addresses: others, target_port: port } = values;
  return [renderPortal(first, port), ...others.map((each) => renderPortal(each, port))];
}

/** Null where nothing is set. */
export function mutualChapOf(values: LioOptions): ChapCredentials | null {
  const { mutual_chap_username: username, mutual_chap_password: password } = values;
  return username === null || password === null ? null : { username, password };
}

/** A connector's initiator name as it stands in LIO; null where it has none that can be a name. */
export function initiatorOf(connector: Connector): string | null {
  const { initiator } = connector;
  // It becomes part of a path.
  return typeof initiator === 'string' && /^(iqn|eui|naa)\.[A-Za-z0-9.:_-]{1,218}$/.test(initiator)
    ? initiator.toLowerCase()
    : null;
}

/** 28 bits of the id, far above the numbers that rtslib gives. */
export function hbaNumberOf(volumeId: string): number {
  return 0x10000000 + Number.parseInt(serialOf(volumeId).slice(0, 7), 16);
}

/** LIO takes "NULL" for none. */
function isPlain(text: string): boolean {
  return /^[!-~]{1,255}$/.test(text) && !text.startsWith('NULL');
}
