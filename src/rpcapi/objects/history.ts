/**
 * Histories: a number for the versions that all objects had at one time, what a services row says in
 * object_current_version. A sender writes no newer objects than the oldest of its peers reads.
 */
import type { Service } from '../../model/service.ts';
import { defineObjectOf, type ObjectName, objectTable, VersionedObject } from './objects.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

/** Per history, oldest first, the objects that were older then than they are now. */
const histories = {
  '1.38': { Volume: '1.8', Snapshot: '1.5' },
  '1.39': {},
} as const satisfies Record<string, Partial<Record<ObjectName, string>>>;

export type ObjectHistory = keyof typeof histories;
export const OBJECT_HISTORIES = Object.keys(histories) as readonly ObjectHistory[];
export const OBJECT_HISTORY: ObjectHistory = '1.39';

/** The version of an object in a history. */
export function versionIn(history: ObjectHistory, name: ObjectName): string {
  const older: Partial<Record<ObjectName, string>> = histories[history];
  return older[name] ?? objectTable[name].version;
}

/** The objects within a value as a peer of that history reads them: fields that it lacks are left out. */
export function backport(value: unknown, history: ObjectHistory): unknown {
  return mapObjects(value, (object) => {
    const definition = defineObjectOf(object.name);
    const target = versionIn(history, object.name);
    if (compareVersions(versionOf(object.version), versionOf(target)) <= 0) return object;
    const stays = (name: string) => {
      const since = definition.fields.get(name)?.since ?? null;
      return since === null || compareVersions(versionOf(since), versionOf(target)) <= 0;
    };
    const fields = Object.fromEntries(Object.entries(object.fields).filter(([name]) => stays(name)));
    return new VersionedObject(object.name, target, fields, object.changes.filter(stays));
  });
}

/** The objects within a value as this release has them: fields that an older peer could not send get their meaning. */
export function forward(value: unknown): unknown {
  return mapObjects(value, (object) => {
    const { name, fields, changes } = object;
    const { version } = objectTable[name];
    return object.version === version ? object : new VersionedObject(name, version, withNewFields(object), changes);
    function withNewFields(older: VersionedObject): Readonly<Record<string, unknown>> {
      if (isA(older, 'Volume')) return { use_quota: countsAgainstQuota(older), ...fields };
      return isA(older, 'Snapshot') ? { use_quota: true, ...fields } : fields;
    }
  });
}

/** Before use_quota stood in the object, the copy that a migration makes and temporary volumes were told apart so. */
function countsAgainstQuota({ fields }: VersionedObject<'Volume'>): boolean {
  const isTarget = fields.migration_status?.startsWith('target:') === true;
  return !isTarget && fields.admin_metadata?.temporary !== 'True';
}

export type Pin<V> =
  | { readonly kind: 'pinned'; readonly version: V }
  | { readonly kind: 'too old'; readonly host: string; readonly version: string | null };

/**
 * The newest history that all of the services read; ours where there are none yet, and never newer than ours.
 * Give it the rows of one binary that are not deleted, whether up or not: messages wait for those that are down.
 */
export function pinObjectHistory(
  services: readonly Pick<Service, 'host' | 'objectCurrentVersion'>[],
): Pin<ObjectHistory> {
  let pinned = OBJECT_HISTORY;
  for (const { host, objectCurrentVersion } of services) {
    const theirs = parseVersion(objectCurrentVersion);
    const readable = OBJECT_HISTORIES.findLast(
      (history) => theirs !== null && compareVersions(versionOf(history), theirs) <= 0,
    );
    if (readable === undefined) return { kind: 'too old', host, version: objectCurrentVersion };
    if (compareVersions(versionOf(readable), versionOf(pinned)) < 0) pinned = readable;
  }
  return { kind: 'pinned', version: pinned };
}

/** The same for RPC versions: no newer than `ours`, which is the version where there are no services yet. */
export function pinRpcVersion(
  ours: string,
  services: readonly Pick<Service, 'host' | 'rpcCurrentVersion'>[],
): Pin<string> {
  let pinned = ours;
  for (const { host, rpcCurrentVersion } of services) {
    const theirs = parseVersion(rpcCurrentVersion);
    if (theirs === null || theirs.major < versionOf(ours).major) {
      return { kind: 'too old', host, version: rpcCurrentVersion };
    }
    if (compareVersions(theirs, versionOf(pinned)) < 0) pinned = `${theirs.major}.${theirs.minor}`;
  }
  return { kind: 'pinned', version: pinned };
}

/** Changes the objects within a value, innermost first; what has none to change is the same value, not a copy. */
function mapObjects(value: unknown, change: (object: VersionedObject) => VersionedObject): unknown {
  if (value instanceof VersionedObject) {
    const { name, version, fields, changes } = value;
    const mapped = mapValues(fields, (item) => mapObjects(item, change));
    return change(mapped === fields ? value : new VersionedObject(name, version, mapped, changes));
  }
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (!Array.isArray(value)) return mapValues(value, (item) => mapObjects(item, change));
  const mapped = value.map((item) => mapObjects(item, change));
  return mapped.some((item, index) => item !== value[index]) ? mapped : value;
}

function mapValues(values: object, change: (value: unknown) => unknown): object {
  let isChanged = false;
  const entries = Object.entries(values).map(([key, item]) => {
    const mapped = change(item);
    isChanged ||= mapped !== item;
    return [key, mapped] as const;
  });
  return isChanged ? Object.fromEntries(entries) : values;
}

function isA<N extends ObjectName>(object: VersionedObject, name: N): object is VersionedObject<N> {
  return object.name === name;
}

function versionOf(text: string): Version {
  return parseVersion(text) ?? { major: 0, minor: 0 };
}
