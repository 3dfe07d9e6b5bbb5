/** From an export request and the options to what nvmet should have, and what hosts are told of it. Pure. */
import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  type ConnectionInfo,
  type Connector,
  checkedName,
  type ExportRequest,
  failure,
  serialOf,
  type ValuesOf,
} from '#driver';
import type { options } from './options.ts';

export type NvmetOptions = ValuesOf<typeof options>;

export interface WantedExport {
  readonly nqn: string;
  readonly devicePath: string;
  /** A plain file goes through the page cache. */
  readonly buffered: boolean;
  readonly namespace: number;
  /** 20 digits of the volume's id: all that NVMe has room for. */
  readonly serial: string;
  readonly uuid: string;
  readonly hosts: readonly string[];
}

export interface WantedPort {
  readonly id: number;
  readonly address: string;
  readonly service: string;
}

export const MODEL = 'Ashlar';

/** Throws ExportFailure for what nvmet cannot express. */
export function wantedExport(request: ExportRequest, isFile: boolean, values: NvmetOptions): WantedExport {
  const { volume, devicePath, connectors = [] } = request;
  if (!devicePath.startsWith('/') || /[\n\r\0]/.test(devicePath) || devicePath.trim() !== devicePath) {
    const reason = `nvmet takes absolute paths without line breaks, not '${devicePath}'. Move the device.`;
    throw failure('ExportFailure', { id: volume.id, reason });
  }
  const digits = serialOf(volume.id);
  return {
    nqn: nqnOf(volume, values),
    devicePath,
    buffered: isFile,
    namespace: values.nvmet_ns_id,
    serial: digits.slice(0, 20),
    uuid: digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    hosts: connectors.map(hostOf).filter((name) => name !== null),
  };
}

/** The prefix is shared with iSCSI, whose names begin with `iqn.`. */
export function prefixOf(values: NvmetOptions): string {
  const { target_prefix: prefix } = values;
  return prefix.startsWith('nqn.') ? prefix : `nqn.${prefix.replace(/^iqn\./, '')}`;
}

export function nqnOf(volume: { readonly id: string; readonly name: string }, values: NvmetOptions): string {
  const nqn = prefixOf(values) + checkedName(volume);
  if (/^nqn\.[\w.:-]{1,219}$/.test(nqn)) return nqn;
  const reason = `'${nqn}' is no name for a subsystem: at most 223 letters, digits and _ . : -. Change target_prefix.`;
  throw failure('ExportFailure', { id: volume.id, reason });
}

export function portsOf(values: NvmetOptions): readonly [WantedPort, ...WantedPort[]] {
  const port = (address: string, index: number): WantedPort => ({
    id: values.nvmet_port_id + index,
    address,
    service: String(values.target_port),
  });
  return [
    port(values.target_ip_address, 0),
    ...values.iscsi_secondary_ip_addresses.map((each, index) => port(each, index + 1)),
  ];
}

/** A connector's host name (NQN); null where it has none that can be a name. */
export function hostOf({ nqn }: Connector): string | null {
  return typeof nqn === 'string' && /^nqn\.[A-Za-z0-9_.:-]{1,219}$/.test(nqn) ? nqn : null;
}

/** The host's key in the form that the kernel and `nvme connect --dhchap-secret` take: base64 of 32 bytes and their CRC. */
export function hostKey(secret: string, host: string): string {
  const key = createHmac('sha256', secret).update(host).digest();
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(key));
  return `DHHC-1:00:${Buffer.concat([key, sum]).toString('base64')}:`;
}

/** `address[,address…]:port tcp nqn namespace`. */
export function renderLocation({ nqn }: Pick<WantedExport, 'nqn'>, values: NvmetOptions): string {
  const ports = portsOf(values);
  const addresses = ports.map(({ address }) =>
    address.includes(':') ? `[${address.replace(/^\[|\]$/g, '')}]` : address,
  );
  return `${addresses.join(',')}:${ports[0].service} tcp ${nqn} ${values.nvmet_ns_id}`;
}

/** What os-brick's nvmeof connector takes, in the form that the options name. Throws ExportFailure for a location it cannot read. */
export function connectionInfo(
  volumeId: string,
  location: string,
  version: number,
  key: string | null,
): ConnectionInfo {
  const match = /^(\S+):(\d+) (\w+) (\S+) (\d+)$/.exec(location);
  if (match === null) {
    const reason = `its location '${location}' is not 'address:port tcp nqn namespace'. Export it again.`;
    throw failure('ExportFailure', { id: volumeId, reason });
  }
  const [, hosts, port, transport, nqn, namespace] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const addresses = hosts.split(',').map((each) => each.replace(/^\[|\]$/g, ''));
  const digits = serialOf(volumeId).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const authentication = key === null ? {} : { dhchap_secret: key };
  const data =
    version === 2
      ? {
          target_nqn: nqn,
          vol_uuid: digits,
          portals: addresses.map((address) => [address, port, transport]),
          ns_id: Number(namespace),
        }
      : {
          target_portal: addresses[0],
          target_port: port,
          nqn,
          transport_type: transport,
          ns_id: Number(namespace),
        };
  return { driver_volume_type: 'nvmeof', data: { ...data, ...authentication } };
}
