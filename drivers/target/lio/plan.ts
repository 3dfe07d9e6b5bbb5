/**
 * From the wanted export and what LIO has of it to the changes. Pure.
 *
 * A portal group is enabled last, so a half-made one lets nobody in; demo mode is off before that. An initiator gets its
 * password before its logical unit. What is right is not touched, so sessions go on.
 */
import type { Step } from '#driver';
import {
  type AuthKey,
  authKeys,
  type Found,
  type FoundAcl,
  type FoundGroup,
  type FoundObject,
  guardingAttributes,
} from './found.ts';
import { LUN, type WantedExport } from './wanted.ts';

export interface Plan {
  /** Empty where the export is right. */
  readonly steps: readonly Step[];
  /** Everybody who is let in when it is done. */
  readonly initiators: readonly string[];
  /** What stays different for now because an initiator is logged in. */
  readonly postponed: string | null;
}

const GROUP = 'tpgt_1';
const UNIT = `lun_${LUN}`;
/** The links' names; targetcli shows neither. */
export const OBJECT_LINK = 'storage';
export const UNIT_LINK = 'unit';
const NONE = 'NULL';

export function planExport(root: string, wanted: WantedExport, found: Found): Plan {
  const groups = found.groups ?? [];
  const acls = groups.flatMap((group) => group.acls);
  const initiators = [...new Set([...acls.map(({ initiator }) => initiator), ...wanted.initiators])];
  const wrong = found.objects.find((object) => wrongness(object, wanted) !== null) ?? null;
  const why =
    found.objects.length > 1 ? 'it has two storage objects' : wrong === null ? null : wrongness(wrong, wanted);
  const stale = why === null && found.objects[0] !== undefined ? staleness(found.objects[0], wanted) : null;
  const inUse = acls.some(({ hasSession }) => hasSession);
  // Another device's bytes: whoever is logged in must not go on with them.
  const rebuild = why !== null || (stale !== null && !inUse);
  const before: Found = rebuild ? { hbas: found.hbas, objects: [], groups: null } : found;
  return {
    steps: [
      ...(rebuild ? planRemoval(root, wanted.iqn, found) : []),
      ...objectSteps(root, wanted, before.objects[0]),
      ...targetSteps(root, wanted, before, initiators),
    ],
    initiators,
    postponed: stale !== null && inUse ? stale : null,
  };
}

/** All of the target and its objects, and the HBA of ours. */
export function planRemoval(root: string, iqn: string, found: Found): readonly Step[] {
  return [...planTeardown(root, iqn, found), ...found.hbas.map((hba) => remove(`${root}/core/${hba}`))];
}

/** Lets one more initiator in. The target has to be there. */
export function planAdmission(root: string, wanted: Admission, found: Found, initiator: string): readonly Step[] {
  const path = `${root}/iscsi/${wanted.iqn}/${GROUP}`;
  const acl = found.groups?.flatMap(({ acls }) => acls).find((each) => each.initiator === initiator);
  return aclSteps(`${path}/acls/${initiator}`, acl, wanted, `${path}/lun/${UNIT}`);
}

type Admission = Pick<WantedExport, 'iqn' | 'chap' | 'mutualChap'>;

/** Takes an initiator's right away, or everybody's. Sessions end. */
export function planExclusion(root: string, iqn: string, found: Found, initiator: string | null): readonly Step[] {
  return (found.groups ?? []).flatMap((group) =>
    group.acls
      .filter((acl) => initiator === null || acl.initiator === initiator)
      .flatMap((acl) => aclRemoval(`${root}/iscsi/${iqn}/${group.name}/acls/${acl.initiator}`, acl)),
  );
}

/** Why an object cannot be kept, whoever uses it; null where it can. */
function wrongness({ enabled, devicePath, hba }: FoundObject, wanted: WantedExport): string | null {
  if (!enabled) return 'it was cut off while it was made';
  if (devicePath !== wanted.devicePath) return `it shows ${devicePath}`;
  return hba.startsWith(`${wanted.plugin}_`) ? null : `it is ${hba}`;
}

/** Why an object with the right device should be made anew; null where it is right. */
function staleness({ serial, fileBytes }: FoundObject, wanted: WantedExport): string | null {
  if (serial !== '' && serial !== wanted.serial) return `its serial number is ${serial}, not ${wanted.serial}`;
  if (wanted.fileBytes === null || fileBytes === null || fileBytes >= wanted.fileBytes) return null;
  return `it shows ${fileBytes} bytes of ${wanted.fileBytes}`;
}

function objectSteps(root: string, wanted: WantedExport, found: FoundObject | undefined): readonly Step[] {
  const { plugin, devicePath, fileBytes } = wanted;
  const hba = found?.hba ?? `${plugin}_${wanted.hbaNumber}`;
  const path = `${root}/core/${hba}/${wanted.iqn}`;
  const control =
    plugin === 'iblock'
      ? `udev_path=${devicePath},readonly=0`
      : `fd_dev_name=${devicePath},fd_dev_size=${fileBytes}${wanted.writeCache ? ',fd_buffered_io=1' : ''}`;
  const note = `opening ${devicePath}`;
  const making: readonly Step[] =
    found !== undefined
      ? []
      : [
          { op: 'mkdir', path: `${root}/core/${hba}` },
          { op: 'mkdir', path },
          { op: 'write', path: `${path}/udev_path`, value: devicePath },
          { op: 'write', path: `${path}/control`, value: control, note },
          { op: 'write', path: `${path}/enable`, value: '1', note },
        ];
  return [
    ...making,
    ...(found === undefined || found.serial === '' ? [write(`${path}/wwn/vpd_unit_serial`, wanted.serial)] : []),
    ...(wanted.discards && found?.discards !== true ? [write(`${path}/attrib/emulate_tpu`, '1')] : []),
  ];
}

function targetSteps(root: string, wanted: WantedExport, found: Found, initiators: readonly string[]): readonly Step[] {
  const target = `${root}/iscsi/${wanted.iqn}`;
  const path = `${target}/${GROUP}`;
  const group = found.groups?.find(({ name }) => name === GROUP);
  const others = found.groups?.filter(({ name }) => name !== GROUP) ?? [];
  const object = `${root}/core/${found.objects[0]?.hba ?? `${wanted.plugin}_${wanted.hbaNumber}`}/${wanted.iqn}`;
  const inUse = group?.acls.some(({ hasSession }) => hasSession) ?? false;
  const portals = group?.portals ?? [];
  const authentication = wanted.chap === null ? '0' : '1';
  const steps: readonly (Step | false)[] = [
    ...others.flatMap((other) => groupRemoval(`${target}/${other.name}`, other)),
    found.groups === null && { op: 'mkdir', path: target },
    group === undefined && { op: 'mkdir', path },
    ...Object.entries(guardingAttributes).map(
      ([key, value]) => group?.attributes[key] !== value && write(`${path}/attrib/${key}`, value),
    ),
    ...unitSteps(`${path}/lun`, group?.units ?? [], { name: OBJECT_LINK, target: object }),
    ...wanted.portals.filter((portal) => !portals.includes(portal)).map((portal) => mkdir(`${path}/np/${portal}`)),
    ...portals
      .filter((portal) => !inUse && !wanted.portals.includes(portal as never))
      .map((portal) => remove(`${path}/np/${portal}`)),
    ...initiators.flatMap((initiator) => {
      const acl = group?.acls.find((each) => each.initiator === initiator);
      return aclSteps(`${path}/acls/${initiator}`, acl, wanted, `${path}/lun/${UNIT}`);
    }),
    group?.attributes.authentication !== authentication && write(`${path}/attrib/authentication`, authentication),
    group?.enabled !== true && write(`${path}/enable`, '1'),
  ];
  return steps.filter((step) => step !== false);
}

function aclSteps(path: string, found: FoundAcl | undefined, wanted: Admission, unit: string): readonly Step[] {
  const auth: Readonly<Record<AuthKey, string>> = {
    userid: wanted.chap?.username ?? '',
    password: wanted.chap?.password ?? '',
    userid_mutual: wanted.mutualChap?.username ?? '',
    password_mutual: wanted.mutualChap?.password ?? '',
  };
  return [
    ...(found === undefined ? [mkdir(path)] : []),
    ...authKeys
      .filter((key) => (found?.auth[key].replace(NONE, '') ?? '') !== auth[key])
      .map(
        (key): Step => ({
          op: 'write',
          path: `${path}/auth/${key}`,
          value: auth[key] === '' ? NONE : auth[key],
          secret: true,
        }),
      ),
    ...unitSteps(path, found?.units ?? [], { name: UNIT_LINK, target: unit }),
  ];
}

/** One logical unit with one link, whatever its name; others go. */
function unitSteps(
  path: string,
  found: readonly { readonly name: string; readonly links: readonly { name: string; target: string }[] }[],
  wanted: { readonly name: string; readonly target: string },
): readonly Step[] {
  const unit = found.find(({ name }) => name === UNIT);
  const links = unit?.links ?? [];
  const isThere = links.some(({ target }) => target === wanted.target);
  return [
    ...found.filter(({ name }) => name !== UNIT).flatMap((other) => unitRemoval(path, other)),
    ...links.filter(({ target }) => target !== wanted.target).map(({ name }) => remove(`${path}/${UNIT}/${name}`)),
    ...(unit === undefined ? [mkdir(`${path}/${UNIT}`)] : []),
    ...(isThere ? [] : [{ op: 'link', path: `${path}/${UNIT}/${wanted.name}`, target: wanted.target } as const]),
  ];
}

function planTeardown(root: string, iqn: string, found: Found): readonly Step[] {
  const target = `${root}/iscsi/${iqn}`;
  return [
    ...(found.groups ?? []).flatMap((group) => groupRemoval(`${target}/${group.name}`, group)),
    ...(found.groups === null ? [] : [remove(target)]),
    ...found.objects.map(({ hba }) => remove(`${root}/core/${hba}/${iqn}`)),
  ];
}

/** Disabled first: that ends the sessions. A logical unit goes after those that are mapped to it. */
function groupRemoval(path: string, group: FoundGroup): readonly Step[] {
  return [
    ...(group.enabled ? [write(`${path}/enable`, '0')] : []),
    ...group.acls.flatMap((acl) => aclRemoval(`${path}/acls/${acl.initiator}`, acl)),
    ...group.units.flatMap((unit) => unitRemoval(`${path}/lun`, unit)),
    ...group.portals.map((portal) => remove(`${path}/np/${portal}`)),
    remove(path),
  ];
}

function aclRemoval(path: string, acl: FoundAcl): readonly Step[] {
  return [...acl.units.flatMap((unit) => unitRemoval(path, unit)), remove(path)];
}

function unitRemoval(path: string, { name, links }: FoundAcl['units'][number]): readonly Step[] {
  return [...links.map((link) => remove(`${path}/${name}/${link.name}`)), remove(`${path}/${name}`)];
}

function mkdir(path: string): Step {
  return { op: 'mkdir', path };
}

function write(path: string, value: string): Step {
  return { op: 'write', path, value };
}

function remove(path: string): Step {
  return { op: 'remove', path };
}
