/**
 * From the wanted subsystem and what nvmet has of it to the changes. Pure.
 *
 * A subsystem is linked to the ports last, so a half-made one serves nobody; the hosts it lets in are made before. What is
 * right is not touched, and never another subsystem: their connections go on.
 */
import type { Step } from '#driver';
import { MODEL, type WantedExport, type WantedPort } from './wanted.ts';

export interface FoundNamespace {
  readonly id: string;
  readonly enabled: boolean;
  readonly devicePath: string;
  readonly uuid: string;
}

export interface Found {
  /** Null where there is no such subsystem. */
  readonly subsystem: {
    readonly allowAnyHost: boolean;
    readonly serial: string;
    readonly model: string;
    readonly namespaces: readonly FoundNamespace[];
    readonly hosts: readonly string[];
  } | null;
  /** Numbers of the ports that it is linked to. */
  readonly ports: readonly string[];
}

export function planExport(
  root: string,
  wanted: WantedExport,
  found: Found,
  ports: readonly WantedPort[],
): readonly Step[] {
  const kept = found.subsystem?.hosts ?? [];
  const hosts = [...new Set([...kept, ...wanted.hosts])];
  const wrong = found.subsystem?.namespaces.some(
    (each) => each.enabled && (each.id !== String(wanted.namespace) || each.devicePath !== wanted.devicePath),
  );
  // Another device's bytes: whoever is connected must not go on with them.
  if (wrong === true) {
    const steps = planRemoval(root, wanted.nqn, found);
    return [...steps, ...making(root, { ...wanted, hosts }, { subsystem: null, ports: [] }, ports)];
  }
  return making(root, { ...wanted, hosts }, found, ports);
}

/** Sessions end; hosts stay known to nvmet, they are no part of an export. */
export function planRemoval(root: string, nqn: string, { subsystem, ports }: Found): readonly Step[] {
  const path = `${root}/subsystems/${nqn}`;
  return [
    ...ports.map((id) => remove(`${root}/ports/${id}/subsystems/${nqn}`)),
    ...(subsystem?.hosts ?? []).map((host) => remove(`${path}/allowed_hosts/${host}`)),
    ...(subsystem?.namespaces ?? []).flatMap(({ id, enabled }) => [
      ...(enabled ? [write(`${path}/namespaces/${id}/enable`, '0')] : []),
      remove(`${path}/namespaces/${id}`),
    ]),
    ...(subsystem === null ? [] : [remove(path)]),
  ];
}

/** Lets a host in; its directory, and its key where it has one, are there already. */
export function planAdmission(root: string, nqn: string, found: Found, host: string): readonly Step[] {
  if (found.subsystem?.hosts.includes(host) === true) return [];
  return [{ op: 'link', path: `${root}/subsystems/${nqn}/allowed_hosts/${host}`, target: `${root}/hosts/${host}` }];
}

/** Takes a host's right away, or everybody's. */
export function planExclusion(root: string, nqn: string, found: Found, host: string | null): readonly Step[] {
  const hosts = found.subsystem?.hosts ?? [];
  return hosts
    .filter((each) => host === null || each === host)
    .map((each) => remove(`${root}/subsystems/${nqn}/allowed_hosts/${each}`));
}

function making(root: string, wanted: WantedExport, found: Found, ports: readonly WantedPort[]): readonly Step[] {
  const path = `${root}/subsystems/${wanted.nqn}`;
  const { subsystem } = found;
  const id = String(wanted.namespace);
  const namespace = subsystem?.namespaces.find((each) => each.id === id);
  const inside = `${path}/namespaces/${id}`;
  const isNew = found.ports.length === 0;
  const steps: readonly (Step | false)[] = [
    subsystem === null && { op: 'mkdir', path },
    subsystem?.allowAnyHost === true && write(`${path}/attr_allow_any_host`, '0'),
    // Who has seen them takes them for another disk's, so they are set before anybody can.
    isNew && subsystem?.serial !== wanted.serial && write(`${path}/attr_serial`, wanted.serial),
    isNew && subsystem?.model !== MODEL && write(`${path}/attr_model`, MODEL),
    ...(subsystem?.namespaces ?? [])
      .filter((each) => each.id !== id)
      .map((each) => remove(`${path}/namespaces/${each.id}`)),
    ...(namespace?.enabled === true ? [] : namespaceSteps(inside, wanted, namespace === undefined)),
    ...wanted.hosts.flatMap((host) => planAdmission(root, wanted.nqn, found, host)),
    ...ports
      .filter((port) => !found.ports.includes(String(port.id)))
      .map((port): Step => ({ op: 'link', path: `${root}/ports/${port.id}/subsystems/${wanted.nqn}`, target: path })),
    ...found.ports
      .filter((each) => !ports.some((port) => String(port.id) === each))
      .map((each) => remove(`${root}/ports/${each}/subsystems/${wanted.nqn}`)),
  ];
  return steps.filter((step) => step !== false);
}

function namespaceSteps(path: string, wanted: WantedExport, isNew: boolean): readonly Step[] {
  const note = `opening ${wanted.devicePath}`;
  return [
    ...(isNew ? [mkdir(path)] : []),
    write(`${path}/device_path`, wanted.devicePath),
    write(`${path}/device_uuid`, wanted.uuid),
    write(`${path}/device_nguid`, wanted.uuid),
    write(`${path}/buffered_io`, wanted.buffered ? '1' : '0'),
    { op: 'write', path: `${path}/enable`, value: '1', note },
  ];
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
