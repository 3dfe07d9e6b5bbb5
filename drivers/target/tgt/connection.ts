/** What initiators are told: the provider location and os-brick's connection data. Pure. */
import { type ChapCredentials, type ConnectionInfo, type Connector, failure } from '#driver';

export interface Location {
  /** `host:port`, an IPv6 address in brackets. The first is the main one. */
  readonly portals: readonly [string, ...string[]];
  readonly iqn: string;
  readonly lun: number;
}

/** tgt has one portal group for all portals. */
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
  exported: { readonly providerLocation: string; readonly chap: ChapCredentials | null },
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
    },
  };
}
