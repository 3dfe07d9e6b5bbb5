import { closest } from '../lib/closest.ts';
import { isCinderOption } from './cinder-options.ts';
import { placeText } from './faults.ts';
import { BACKEND_DEFAULTS, groupKey, splitDeprecatedName } from './groups.ts';
import { entryKey } from './layers.ts';
import type { ConfigEntry } from './parse.ts';
import type { Declaration } from './resolve.ts';

interface Everything {
  readonly entries: readonly ConfigEntry[];
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly rollCall: ReadonlyMap<string, Declaration>;
}

/**
 * Warnings about what was set and means nothing here: each unknown group and option once, with the nearest known name;
 * what is Cinder's but not Ashlar's in one sentence together.
 */
export function unknownWarnings({ entries, declarations, rollCall }: Everything): readonly string[] {
  const known = knownNames([...declarations.values(), ...rollCall.values()]);
  const backends = backendGroups(declarations);
  const warned = new Set<string>();
  const warnings: string[] = [];
  const foreign = new Map<string, Set<string>>();
  const warnOnce = (key: string, entry: ConfigEntry, message: string) => {
    if (!warned.has(key)) warnings.push(`${placeText(entry)}${message}`);
    warned.add(key);
  };

  for (const entry of entries) {
    const group = groupKey(entry.group);
    const isBackend = backends.has(group) || group === BACKEND_DEFAULTS;
    const own = known.get(group) ?? new Set<string>();
    const names = isBackend ? new Set([...own, ...(known.get(BACKEND_DEFAULTS) ?? [])]) : own;
    if (names.has(entry.name)) continue;
    if (isCinderOption(group, entry.name, isBackend)) {
      foreign.set(entry.group, (foreign.get(entry.group) ?? new Set()).add(entry.name));
    } else if (!known.has(group) && looksLikeBackend(group, entries)) {
      warnOnce(group, entry, `[${entry.group}] looks like a backend but enabled_backends does not name it; ignored`);
    } else if (!known.has(group)) {
      const hint = didYouMean(closest(entry.group, ['DEFAULT', ...known.keys()]), (name) => `[${name}]`);
      warnOnce(group, entry, `group [${entry.group}] is not known and is ignored${hint}`);
    } else {
      const hint = didYouMean(closest(entry.name, names), (name) => name);
      warnOnce(entryKey(group, entry.name), entry, `[${entry.group}] ${entry.name} is not known and is ignored${hint}`);
    }
  }
  return foreign.size === 0 ? warnings : [...warnings, foreignWarning(foreign)];
}

/** Group -> the names that mean something in it, deprecated ones included. */
function knownNames(declarations: readonly Declaration[]): ReadonlyMap<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  const add = (group: string, name: string) =>
    known.set(groupKey(group), (known.get(groupKey(group)) ?? new Set()).add(name));
  for (const { group, name, option, scopes } of declarations) {
    for (const scope of [group, ...scopes]) {
      add(scope, name);
      for (const old of option.deprecatedNames ?? []) {
        const place = splitDeprecatedName(old, scope);
        add(place.group, place.name);
      }
    }
  }
  return known;
}

function backendGroups(declarations: ReadonlyMap<string, Declaration>): ReadonlySet<string> {
  const backends = [...declarations.values()].filter((declaration) => declaration.scopes.includes(BACKEND_DEFAULTS));
  return new Set(backends.map((declaration) => groupKey(declaration.group)));
}

function looksLikeBackend(group: string, entries: readonly ConfigEntry[]): boolean {
  const signs = ['volume_driver', 'volume_backend_name', 'target_helper', 'volume_group'];
  return entries.some((entry) => groupKey(entry.group) === group && signs.includes(entry.name));
}

function didYouMean(name: string | undefined, shown: (name: string) => string): string {
  return name === undefined ? '' : `; did you mean ${shown(name)}?`;
}

function foreignWarning(foreign: ReadonlyMap<string, ReadonlySet<string>>): string {
  const groups = [...foreign].map(([group, names]) => `[${group}] ${[...names].join(', ')}`);
  return `Cinder has these options and Ashlar does not; they are ignored: ${groups.join('; ')}`;
}
