import { ConfigError, type ConfigFault, placeText } from './faults.ts';
import { BACKEND_DEFAULTS, type OptionGroup, sameDeclaration } from './groups.ts';
import { entryKey, type Layer } from './layers.ts';
import type { Option, Options, ValuesOf } from './options.ts';
import { type Declaration, type Resolved, resolve } from './resolve.ts';
import { unknownWarnings } from './unknown.ts';

/**
 * A configuration that was read. Declare what you need with `section` and `backendSection`, then call `finish`, which
 * reports every fault at once. Values may be read before that (a backend's driver has to be known before its options
 * can be declared); a faulty one reads as its default until `finish` refuses it.
 */
export interface Config {
  /** The values of one group, by the options' names as in the file. The same options may be asked for again. */
  section<O extends Options>(group: string, options: O): ValuesOf<O>;
  /** A backend's values: from its own group, else from [backend_defaults], else the default. Not from [DEFAULT]. */
  backendSection<O extends Options>(group: string, options: O): ValuesOf<O>;
  /** Throws one ConfigError for all faults. Answers with the warnings, a sentence each. */
  finish(): readonly string[];
  /** Every option declared so far, with its value (secrets masked) and where it comes from. For reports. */
  describe(): readonly DescribedOption[];
  /**
   * Takes over the values of mutable options from another reading that declared the same. Whoever reads them from what
   * `section` answered sees them from now on; who copied a value before does not, so such options are not mutable.
   */
  adopt(next: Config): void;
  /** The same with the values as they are, secrets too: to compare one reading with the next (changes.ts). */
  values(): readonly DeclaredValue[];
  /** The same with where each comes from, for `adopt`. */
  resolved(): readonly { readonly group: string; readonly option: string; readonly resolved: Resolved }[];
}

export interface DeclaredValue {
  readonly group: string;
  readonly option: string;
  readonly value: unknown;
  /** It may change without a restart. */
  readonly mutable: boolean;
}

export interface DescribedOption {
  readonly group: string;
  readonly option: string;
  readonly value: unknown;
  /** `file:line`, or `default`. */
  readonly from: string;
}

export interface ConfigInput {
  /** Highest first. */
  readonly layers: readonly Layer[];
  /** What went wrong while the files were read. */
  readonly faults: readonly ConfigFault[];
  /** Every option that any part of the program has: not unknown, even where this process declares it not. */
  readonly known: readonly OptionGroup[];
}

/** Makes a Config of what was read. Pure: no file is touched. */
export function openConfig({ layers, faults, known }: ConfigInput): Config {
  const declarations = new Map<string, Declaration>();
  const conflicts: ConfigFault[] = [];
  const rollCall = new Map<string, Declaration>();
  for (const { group, options } of known) {
    for (const [name, option] of Object.entries(options)) {
      rollCall.set(entryKey(group, name), { group, name, option, scopes: [group] });
    }
  }
  const sources = {
    layers,
    declared: (group: string, name: string) =>
      declarations.get(entryKey(group, name)) ?? rollCall.get(entryKey(group, name)),
  };
  let settled: ReadonlyMap<string, Resolved> | undefined;
  const adopted = new Map<string, Resolved>();
  const resolveNow = (declaration: Declaration): Resolved =>
    adopted.get(entryKey(declaration.group, declaration.name)) ?? resolve(declaration, sources);

  const declare = (group: string, name: string, option: Option<unknown>, scopes: readonly string[]): Declaration => {
    const earlier = declarations.get(entryKey(group, name));
    if (earlier !== undefined && !sameDeclaration(earlier.option, option)) {
      const message = 'is declared twice in different ways; this is a mistake in the program, please report it';
      conflicts.push({ file: null, line: null, group, option: name, message });
    }
    if (earlier !== undefined) return earlier;
    const declaration = { group, name, option, scopes };
    declarations.set(entryKey(group, name), declaration);
    settled = undefined;
    return declaration;
  };

  const currentValue = (declaration: Declaration): unknown => {
    const key = entryKey(declaration.group, declaration.name);
    return (adopted.get(key) ?? settled?.get(key) ?? resolve(declaration, sources)).value;
  };

  const valuesOf = <O extends Options>(group: string, options: O, scopes: readonly string[]): ValuesOf<O> => {
    const values = {};
    for (const [name, option] of Object.entries(options)) {
      const declaration = declare(group, name, option, scopes);
      Object.defineProperty(values, name, { enumerable: true, get: () => currentValue(declaration) });
    }
    return values as ValuesOf<O>;
  };

  return {
    section: (group, options) => valuesOf(group, options, [group]),
    backendSection: (group, options) => valuesOf(group, options, [group, BACKEND_DEFAULTS]),
    finish() {
      const resolved = new Map<string, Resolved>();
      for (const [key, declaration] of declarations) resolved.set(key, resolve(declaration, sources));
      const wrong = [...faults, ...conflicts, ...valueFaults(declarations, resolved)];
      if (wrong.length > 0) throw new ConfigError(wrong.toSorted(byPlace));
      settled = resolved;
      return [
        ...deprecationWarnings(declarations, resolved),
        ...unknownWarnings({ entries: layers.flatMap((layer) => layer.entries), declarations, rollCall }),
      ];
    },
    describe: () => [...declarations.values()].map((declaration) => described(declaration, resolveNow(declaration))),
    adopt(next) {
      const now = new Map(next.resolved().map((each) => [entryKey(each.group, each.option), each.resolved]));
      for (const [key, { option }] of declarations) {
        const value = now.get(key);
        if (option.mutable === true && value !== undefined) adopted.set(key, value);
      }
    },
    resolved: () =>
      [...declarations.values()].map((declaration) => ({
        group: declaration.group,
        option: declaration.name,
        resolved: resolveNow(declaration),
      })),
    values: () =>
      [...declarations.values()].map((declaration) => ({
        group: declaration.group,
        option: declaration.name,
        value: resolveNow(declaration).value,
        mutable: declaration.option.mutable === true,
      })),
  };
}

function valueFaults(
  declarations: ReadonlyMap<string, Declaration>,
  resolved: ReadonlyMap<string, Resolved>,
): readonly ConfigFault[] {
  const faults = new Map<string, ConfigFault>();
  for (const [key, { group, name }] of declarations) {
    const { reasons, entry } = resolved.get(key)!;
    for (const message of reasons) {
      const place = { file: entry?.file ?? null, line: entry?.line ?? null };
      const at = { group: entry?.group ?? group, option: entry?.name ?? name };
      // A line in [backend_defaults] is wrong for every backend, but said once.
      faults.set(JSON.stringify([place, at, message]), { ...place, ...at, message });
    }
  }
  return [...faults.values()];
}

function deprecationWarnings(
  declarations: ReadonlyMap<string, Declaration>,
  resolved: ReadonlyMap<string, Resolved>,
): readonly string[] {
  const warnings = new Set<string>();
  for (const [key, { group, name }] of declarations) {
    const { deprecated, entry } = resolved.get(key)!;
    if (!deprecated || entry === null) continue;
    warnings.add(`${placeText(entry)}[${entry.group}] ${entry.name} is a deprecated name; write [${group}] ${name}`);
  }
  return [...warnings];
}

function described({ group, name }: Declaration, { value, entry, secret }: Resolved): DescribedOption {
  const hidden = secret && value !== null && value !== '';
  const from = entry === null ? 'default' : placeText(entry).replace(/: $/, '');
  return { group, option: name, value: hidden ? '****' : value, from };
}

function byPlace(a: ConfigFault, b: ConfigFault): number {
  if (a.file !== b.file) return (a.file ?? '') < (b.file ?? '') ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
