import { splitDeprecatedName } from './groups.ts';
import { entryKey, type Layer } from './layers.ts';
import type { Option } from './options.ts';
import type { ConfigEntry } from './parse.ts';
import { convertValue, expandReferences, textOf } from './values.ts';

/** A declared option and the groups in which its value is looked for, in this order. */
export interface Declaration {
  readonly group: string;
  readonly name: string;
  readonly option: Option<unknown>;
  readonly scopes: readonly string[];
}

export interface Resolved {
  /** The declared default where the value is faulty. */
  readonly value: unknown;
  readonly reasons: readonly string[];
  /** Where the value was found; null for a default. */
  readonly entry: ConfigEntry | null;
  /** Set where it was found under a deprecated name. */
  readonly deprecated: boolean;
  /** It is a secret, or a secret was put into it by a reference. */
  readonly secret: boolean;
}

/** What the resolver may ask: the sources, highest first, and the declaration of an option in a group, if any. */
export interface Sources {
  readonly layers: readonly Layer[];
  declared(group: string, name: string): Declaration | undefined;
}

/** Finds, expands and converts the value of one option. Never throws. */
export function resolve(declaration: Declaration, sources: Sources): Resolved {
  const trail: Trail = { open: new Set(), secret: declaration.option.secret === true };
  const found = findEntries(declaration, sources.layers);
  const { texts, reasons } = expandAll(declaration, found.entries, sources, trail);
  const entry = found.entries.at(-1) ?? null;
  const { option } = declaration;
  const rest = { entry, deprecated: found.deprecated, secret: trail.secret };
  if (reasons.length > 0) return { value: option.default, reasons, ...rest };
  if (texts === null) return { value: option.default, reasons: [], ...rest };
  const shownOption = trail.secret ? { ...option, secret: true } : option;
  const converted = convertValue(shownOption, texts);
  if (!converted.ok) return { value: option.default, reasons: [converted.reason], ...rest };
  return { value: converted.value, reasons: [], ...rest };
}

interface Trail {
  /** Options being expanded now: meeting one again is a circle. */
  readonly open: Set<string>;
  secret: boolean;
}

function findEntries(
  { name, option, scopes }: Declaration,
  layers: readonly Layer[],
): { readonly entries: readonly ConfigEntry[]; readonly deprecated: boolean } {
  for (const layer of layers) {
    for (const scope of scopes) {
      const entries = layer.find(scope, name);
      if (entries.length > 0) return { entries, deprecated: false };
      for (const old of option.deprecatedNames ?? []) {
        const place = splitDeprecatedName(old, scope);
        const oldEntries = layer.find(place.group, place.name);
        if (oldEntries.length > 0) return { entries: oldEntries, deprecated: true };
      }
    }
  }
  return { entries: [], deprecated: false };
}

/** The texts with references replaced. Null texts: the default holds as it is, since no reference is in it. */
function expandAll(
  declaration: Declaration,
  entries: readonly ConfigEntry[],
  sources: Sources,
  trail: Trail,
): { readonly texts: readonly string[] | null; readonly reasons: readonly string[] } {
  const key = entryKey(declaration.group, declaration.name);
  trail.open.add(key);
  const raw = entries.length > 0 ? entries.map((entry) => entry.value) : textsOfDefault(declaration.option);
  const expanded = raw?.map((text) =>
    expandReferences(text, (reference) => lookUp(reference, declaration, sources, trail)),
  );
  trail.open.delete(key);
  return {
    texts: expanded?.map((item) => item.text) ?? null,
    reasons: expanded?.flatMap((item) => item.reasons) ?? [],
  };
}

function textsOfDefault(option: Option<unknown>): readonly string[] | null {
  const texts = option.kind === 'multi' ? (option.default as readonly string[]) : [textOf(option.kind, option.default)];
  return texts.some((text) => text.includes('$')) ? texts : null;
}

function lookUp(
  reference: string,
  from: Declaration,
  sources: Sources,
  trail: Trail,
): { readonly text: string } | { readonly reason: string } {
  // The name may be a piece of a password in which a dollar was not doubled.
  const shown = from.option.secret === true ? 'a reference in it' : `the reference $${reference}`;
  const dot = reference.indexOf('.');
  const name = reference.slice(dot + 1);
  const scopes = dot === -1 ? [...from.scopes, 'DEFAULT'] : [reference.slice(0, dot)];
  for (const scope of scopes) {
    const target = sources.declared(scope, name) ?? undeclared(scope, name, sources);
    if (target === undefined) continue;
    if (trail.open.has(entryKey(target.group, target.name))) {
      return { reason: `${shown} leads in a circle; give one of the options a value of its own` };
    }
    if (target.option.secret === true) trail.secret = true;
    const { entries } = findEntries(target, sources.layers);
    const { texts, reasons } = expandAll(target, entries, sources, trail);
    if (reasons.length > 0) return { reason: reasons[0]! };
    return { text: (texts ?? [textOf(target.option.kind, target.option.default)]).at(-1) ?? '' };
  }
  return { reason: `${shown} names no option; write $$ for a dollar sign, \${name} before a letter or a dot` };
}

/** An option that nobody declares but a file sets can be referred to all the same. */
function undeclared(scope: string, name: string, sources: Sources): Declaration | undefined {
  if (!sources.layers.some((layer) => layer.find(scope, name).length > 0)) return undefined;
  return { group: scope, name, option: { kind: 'string', default: '', help: '' }, scopes: [scope] };
}
