/** What LIO has of one export, read from configfs. */
import type { ConfigFs } from '#driver';

export interface FoundObject {
  /** `iblock_268435456`. */
  readonly hba: string;
  readonly devicePath: string;
  readonly enabled: boolean;
  readonly serial: string;
  readonly discards: boolean;
  /** Of fileio: the size with which it was opened. */
  readonly fileBytes: number | null;
}

/** A logical unit and what it links to, absolute paths. */
export interface FoundUnit {
  readonly name: string;
  readonly links: readonly { readonly name: string; readonly target: string }[];
}

export interface FoundAcl {
  readonly initiator: string;
  readonly auth: Readonly<Record<AuthKey, string>>;
  readonly units: readonly FoundUnit[];
  readonly hasSession: boolean;
}

export interface FoundGroup {
  /** `tpgt_1`. */
  readonly name: string;
  readonly enabled: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  readonly units: readonly FoundUnit[];
  readonly portals: readonly string[];
  readonly acls: readonly FoundAcl[];
}

export interface Found {
  /** The HBA directories of ours that are there, with an object or without. */
  readonly hbas: readonly string[];
  readonly objects: readonly FoundObject[];
  /** Null where there is no such target. */
  readonly groups: readonly FoundGroup[] | null;
}

export const authKeys = ['userid', 'password', 'userid_mutual', 'password_mutual'] as const;
export type AuthKey = (typeof authKeys)[number];

/** The group's attributes that decide who may come in. `demo mode` lets in everybody. */
export const guardingAttributes = {
  generate_node_acls: '0',
  cache_dynamic_acls: '0',
  demo_mode_write_protect: '1',
  demo_mode_discovery: '0',
} as const;

/** HBAs of rtslib and of others have small numbers; these are looked into, few as they are. */
const OUR_FIRST_HBA = 0x10000000;

export async function findExport(configFs: ConfigFs, root: string, iqn: string, hbaNumber: number): Promise<Found> {
  const target = `${root}/iscsi/${iqn}`;
  const groupNames = (await configFs.list(target))?.filter((name) => name.startsWith('tpgt_')) ?? null;
  const groups =
    groupNames === null
      ? null
      : await Promise.all(groupNames.map((name) => findGroup(configFs, `${target}/${name}`, name)));
  const core = (await configFs.list(`${root}/core`)) ?? [];
  const candidates = core.filter((hba) => {
    const match = /^(?:iblock|fileio)_(\d+)$/.exec(hba);
    return match !== null && (Number(match[1]) < OUR_FIRST_HBA || Number(match[1]) === hbaNumber);
  });
  const objects: FoundObject[] = [];
  const hbas: string[] = [];
  for (const hba of candidates) {
    const object = await findObject(configFs, `${root}/core/${hba}/${iqn}`, hba);
    if (object !== null) objects.push(object);
    if (object !== null || hba.endsWith(`_${hbaNumber}`)) hbas.push(hba);
  }
  return { hbas, objects, groups };
}

async function findObject(configFs: ConfigFs, path: string, hba: string): Promise<FoundObject | null> {
  const enabled = await configFs.read(`${path}/enable`);
  if (enabled === null) return null;
  const read = async (name: string) => (await configFs.read(`${path}/${name}`)) ?? '';
  const size = hba.startsWith('fileio_') && enabled === '1' ? /\bSize: (\d+)/.exec(await read('info')) : null;
  return {
    hba,
    devicePath: await read('udev_path'),
    enabled: enabled === '1',
    serial: (await read('wwn/vpd_unit_serial')).replace(/^T10 VPD Unit Serial Number: /, ''),
    discards: (await read('attrib/emulate_tpu')) === '1',
    fileBytes: size === null ? null : Number(size[1]),
  };
}

async function findGroup(configFs: ConfigFs, path: string, name: string): Promise<FoundGroup> {
  const attributes: Record<string, string> = {};
  for (const key of [...Object.keys(guardingAttributes), 'authentication']) {
    attributes[key] = (await configFs.read(`${path}/attrib/${key}`)) ?? '';
  }
  const acls: FoundAcl[] = [];
  for (const initiator of (await configFs.list(`${path}/acls`)) ?? []) {
    acls.push(await findAcl(configFs, `${path}/acls/${initiator}`, initiator));
  }
  return {
    name,
    enabled: (await configFs.read(`${path}/enable`)) === '1',
    attributes,
    units: await findUnits(configFs, `${path}/lun`),
    portals: (await configFs.list(`${path}/np`)) ?? [],
    acls,
  };
}

async function findAcl(configFs: ConfigFs, path: string, initiator: string): Promise<FoundAcl> {
  const auth = { userid: '', password: '', userid_mutual: '', password_mutual: '' };
  for (const key of authKeys) auth[key] = (await configFs.read(`${path}/auth/${key}`)) ?? '';
  const info = (await configFs.read(`${path}/info`)) ?? '';
  return {
    initiator,
    auth,
    units: await findUnits(configFs, path),
    hasSession: info !== '' && !info.startsWith('No active iSCSI Session'),
  };
}

async function findUnits(configFs: ConfigFs, path: string): Promise<FoundUnit[]> {
  const names = ((await configFs.list(path)) ?? []).filter((name) => name.startsWith('lun_'));
  return await Promise.all(
    names.map(async (name) => {
      const links: { name: string; target: string }[] = [];
      for (const entry of (await configFs.list(`${path}/${name}`)) ?? []) {
        const target = await linkTarget(configFs, `${path}/${name}/${entry}`);
        if (target !== null) links.push({ name: entry, target });
      }
      return { name, links };
    }),
  );
}

/** Null for what is no symlink. */
async function linkTarget(configFs: ConfigFs, path: string): Promise<string | null> {
  return await configFs.target(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EINVAL') return null;
    throw error;
  });
}
