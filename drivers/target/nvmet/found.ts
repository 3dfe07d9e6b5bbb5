/** What nvmet has, read from configfs. */
import type { ConfigFs } from '#driver';
import type { Found, FoundNamespace } from './plan.ts';
import type { WantedPort } from './wanted.ts';

export async function findExport(configFs: ConfigFs, root: string, nqn: string): Promise<Found> {
  const ports: string[] = [];
  for (const port of (await configFs.list(`${root}/ports`)) ?? []) {
    if ((await configFs.target(`${root}/ports/${port}/subsystems/${nqn}`)) !== null) ports.push(port);
  }
  const path = `${root}/subsystems/${nqn}`;
  const ids = await configFs.list(`${path}/namespaces`);
  if (ids === null) return { subsystem: null, ports };
  const read = async (name: string) => (await configFs.read(`${path}/${name}`)) ?? '';
  const namespaces: FoundNamespace[] = [];
  for (const id of ids) {
    const inside = async (name: string) => await read(`namespaces/${id}/${name}`);
    namespaces.push({
      id,
      enabled: (await inside('enable')) === '1',
      devicePath: await inside('device_path'),
      uuid: await inside('device_uuid'),
    });
  }
  return {
    subsystem: {
      allowAnyHost: (await read('attr_allow_any_host')) === '1',
      serial: await read('attr_serial'),
      model: await read('attr_model'),
      namespaces,
      hosts: (await configFs.list(`${path}/allowed_hosts`)) ?? [],
    },
    ports,
  };
}

export type FoundPort = Readonly<Record<'addr_trtype' | 'addr_adrfam' | 'addr_traddr' | 'addr_trsvcid', string>>;

/** What a port has to say of itself. */
export function portValues({ address, service }: WantedPort): FoundPort {
  const plain = address.replace(/^\[|\]$/g, '');
  return {
    addr_trtype: 'tcp',
    addr_adrfam: plain.includes(':') ? 'ipv6' : 'ipv4',
    addr_traddr: plain,
    addr_trsvcid: service,
  };
}

/** Null where there is no such port. */
export async function findPort(configFs: ConfigFs, root: string, id: number): Promise<FoundPort | null> {
  const path = `${root}/ports/${id}`;
  if ((await configFs.list(path)) === null) return null;
  const read = async (name: keyof FoundPort) => (await configFs.read(`${path}/${name}`)) ?? '';
  return {
    addr_trtype: await read('addr_trtype'),
    addr_adrfam: await read('addr_adrfam'),
    addr_traddr: await read('addr_traddr'),
    addr_trsvcid: await read('addr_trsvcid'),
  };
}
