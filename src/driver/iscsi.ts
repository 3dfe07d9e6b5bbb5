/** What iSCSI targets share: names, serials, the provider location and os-brick's connection data. Pure. */
import { createHash } from 'node:crypto';
import type { Connector } from '../model/connector.ts';
import { failure } from '../model/errors.ts';
import type { DriverVolume } from './driver.ts';
import type { ChapCredentials, ConnectionInfo } from './target.ts';

export interface Location {
  /** `host:port`, an IPv6 address in brackets. The first is the main one. */
  readonly portals: readonly [string, ...string[]];
  readonly iqn: string;
  readonly lun: number;
}

/** All portals are in one portal group. */
const PORTAL_GROUP = 1;

/** `portal:port[;portal:port…],1 iqn lun`. */
export function renderLocation({ portals, iqn, lun }: Location): string {
  return `${portals.join(';')},${PORTAL_GROUP} ${iqn} ${lun}`;
}

/** Reads a provider location; null where it is none. */
export function parseLocation(text: string): Location | null {
  const match = /^(\S+),\d+ (\S+) (\d+)$/.exec(text);
  if (match === null) return null;
  const [first, ...others] = match[1]!.split(';');
  return { portals: [first!, ...others], iqn: match[2]!, lun: Number(match[3]) };
}

export function renderPortal(address: string, port: number): string {
  const host = address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
  return `${host}:${port}`;
}

/**
 * The answer for an initiator. Lists of portals only for one that asks for multipath. Throws InvalidConnector without an
 * initiator name, ExportFailure where the location cannot be read.
 */
export function connectionInfo(
  protocol: 'iscsi' | 'iser',
  volumeId: string,
  exported: {
    readonly providerLocation: string;
    readonly chap: ChapCredentials | null;
    /** With what the target proves itself to the initiator. os-brick passes over it. */
    readonly mutualChap?: ChapCredentials | null;
  },
  connector: Connector,
): ConnectionInfo {
  if (typeof connector.initiator !== 'string' || connector.initiator === '') {
    throw failure('InvalidConnector', { missing: 'initiator' });
  }
  const location = parseLocation(exported.providerLocation);
  if (location === null) {
    const reason = `its location '${exported.providerLocation}' is not 'portal:port,group iqn lun'. Export it again.`;
    throw failure('ExportFailure', { id: volumeId, reason });
  }
  const { portals, iqn, lun } = location;
  return {
    driver_volume_type: protocol,
    data: {
      target_discovered: false,
      target_portal: portals[0],
      target_iqn: iqn,
      target_lun: lun,
      volume_id: volumeId,
      ...(connector.multipath === true && portals.length > 1
        ? { target_portals: portals, target_iqns: portals.map(() => iqn), target_luns: portals.map(() => lun) }
        : {}),
      ...(exported.chap === null
        ? {}
        : {
            auth_method: 'CHAP',
            auth_username: exported.chap.username,
            auth_password: exported.chap.password,
          }),
      ...(exported.mutualChap == null
        ? {}
        : {
            mutual_auth_username: exported.mutualChap.username,
            mutual_auth_password: exported.mutualChap.password,
          }),
    },
  };
}

/** The volume's name, which becomes part of a file's path and of the target's name. Throws ExportFailure for one that cannot. */
export function checkedName({ id, name }: Pick<DriverVolume, 'id' | 'name'>): string {
  if (/^[A-Za-z0-9][\w.:-]*$/.test(name)) return name;
  const reason = `'${name}' cannot be part of a target's name: only letters, digits and _ . : - can. See volume_name_template.`;
  throw failure('ExportFailure', { id, reason });
}

/** 32 hexadecimal digits, the same for a volume wherever it is exported: of its uuid, or of another id's digest. */
export function serialOf(volumeId: string): string {
  const digits = volumeId.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : createHash('sha256').update(volumeId).digest('hex').slice(0, 32);
}
