/** `MAJOR.MINOR`, the form of RPC versions, object versions and object histories. */
export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Null for anything that is not two numbers with a dot between them. */
export function parseVersion(text: unknown): Version | null {
  const match = typeof text === 'string' ? /^(\d{1,4})\.(\d{1,4})$/.exec(text) : null;
  return match === null ? null : { major: Number(match[1]), minor: Number(match[2]) };
}

/** Negative where `a` is older, 0 where they are the same version. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor;
}

/** True where what speaks `known` understands `asked`: the same major, a minor that is not newer. */
export function understands(known: string, asked: unknown): boolean {
  const [ours, theirs] = [parseVersion(known), parseVersion(asked)];
  return ours !== null && theirs !== null && ours.major === theirs.major && theirs.minor <= ours.minor;
}
