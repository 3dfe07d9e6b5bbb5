import type { Option, Options } from './options.ts';

/** Options of one group, as the roll-call lists them. Several entries may name the same group. */
export interface OptionGroup {
  /** `DEFAULT`, `database`, …; `backend_defaults` for what a backend's own group may hold. */
  readonly group: string;
  /** What the options belong to, for the sample: `API`, `LVM driver`. */
  readonly title: string;
  readonly options: Options;
}

/** Values for a backend that its own group does not set. */
export const BACKEND_DEFAULTS = 'backend_defaults';

/** Groups are found whatever their case, DEFAULT alone is written in capitals. */
export function groupKey(group: string): string {
  return group === 'DEFAULT' ? group : group.toLowerCase();
}

/** `group` and `name` of a deprecated name, which may be `group/name` or a name of the same group. */
export function splitDeprecatedName(text: string, group: string): { readonly group: string; readonly name: string } {
  const slash = text.indexOf('/');
  return slash === -1 ? { group, name: text } : { group: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** True where two declarations of one option mean the same, so that siblings may each declare what both read. */
export function sameDeclaration(a: Option<unknown>, b: Option<unknown>): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.min === b.min &&
      a.max === b.max &&
      JSON.stringify([a.default, a.choices]) === JSON.stringify([b.default, b.choices]))
  );
}
