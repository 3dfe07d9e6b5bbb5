/** What a row of the method tables says, and what Ashlar answers where it does not serve a method. */
import type { FieldType } from '../objects/field.ts';
import type { FieldValue } from '../objects/objects.ts';
import { compareVersions, parseVersion, type Version } from '../objects/version.ts';

/** `default`: the argument may be left out, and is this then. `since`: peers of older versions don't take it. */
export type ArgumentSpec =
  | FieldType
  | { readonly type: FieldType; readonly default?: unknown; readonly since?: string };

export interface WireMethod {
  /** `call/cast`: both occur. `none`: peers have such a method, and never ask for it. */
  readonly kind: 'call' | 'cast' | 'call/cast' | 'fanout' | 'none';
  /** The versions that callers name, oldest first. */
  readonly versions: readonly string[];
  /** The version that a message states where that is not the one it needs. */
  readonly stated?: string;
  /** The oldest version of a peer that has the method, where callers make sure of it. */
  readonly asserted?: string;
  readonly args: Readonly<Record<string, ArgumentSpec>>;
  /** Arguments beyond these are no fault. */
  readonly variadic?: true;
  /** As an operation that is recorded, answered directly, or not at all: then with the reason. */
  readonly serve:
    | { readonly as: 'operation' }
    | { readonly as: 'direct' }
    | { readonly as: 'refused'; readonly reason: string };
}

export type WireTable = Readonly<Record<string, WireMethod>>;

/** The decoded arguments of a method: those that were left out have their default. */
export type ArgumentsOf<M extends WireMethod> = {
  readonly [A in keyof M['args']]: FieldValue<M['args'][A]>;
};

const refused = <R extends string>(reason: R) => ({ as: 'refused', reason }) as const;

/** The reasons by theme: what is not there, and what to do instead. */
export const notServed = {
  groups: refused('Volume groups are not served by this backend. Work with each volume on its own.'),
  replication: refused('Replication and failover are not served by this backend.'),
  images: refused('Copying to and from images is not served by this backend. Attach the volume and copy its bytes.'),
  backups: refused('Backups are not served by this backend. Attach the volume or a clone of it and copy its bytes.'),
  managing: refused(
    'Taking over storage that exists is not served by this backend. Create a volume and copy the bytes.',
  ),
  moving: refused('Volumes are not moved from or to this backend. Create a volume there and copy the bytes.'),
  reverting: refused('Reverting is not served by this backend. Create a volume from the snapshot instead.'),
  snapshotExports: refused('Snapshots are not exported by this backend. Create a volume from the snapshot instead.'),
} as const;

/** A method that peers have for their own use within the process. */
export const inside = {
  kind: 'none',
  versions: [],
  args: {},
  serve: refused('The method is not for other services.'),
} as const satisfies WireMethod;

/** The version that a message states for a peer of that version, or null where such a peer has not the method. */
export function versionFor(method: WireMethod, peer: string): string | null {
  const fits = (version: string) => compareVersions(versionOf(version), versionOf(peer)) <= 0;
  if (method.asserted !== undefined && !fits(method.asserted)) return null;
  return method.stated ?? method.versions.findLast(fits) ?? null;
}

/** The arguments of a message for a peer of that version: those that it does not take are left out. */
export function argumentsFor(
  method: WireMethod,
  args: Readonly<Record<string, unknown>>,
  peer: string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).filter(([name]) => {
      const spec = method.args[name];
      const since = typeof spec === 'object' && 'type' in spec ? spec.since : undefined;
      return since === undefined || compareVersions(versionOf(since), versionOf(peer)) <= 0;
    }),
  );
}

function versionOf(text: string): Version {
  return parseVersion(text) ?? { major: 0, minor: 0 };
}
