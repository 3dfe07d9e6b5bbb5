import { isIP } from 'node:net';
import type { Option, OptionKind } from './options.ts';

/** A value, or a reason for people (which never shows the text of a secret option). */
export type Conversion =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/**
 * Converts the texts that a file has for one option to its type, and checks min, max and choices. A multi option takes
 * every text, any other the last. An empty text is null for a number that may be unset.
 */
export function convertValue(option: Option<unknown>, texts: readonly string[]): Conversion {
  if (option.kind === 'multi') return { ok: true, value: [...texts] };
  const text = texts.at(-1) ?? '';
  if (option.default === null && text.trim() === '' && option.kind !== 'string') return { ok: true, value: null };
  const converted = converters[option.kind](text);
  if (!converted.ok) return { ok: false, reason: `${shown(option, text)} ${converted.reason}` };
  const objection = outOfBounds(option, converted.value);
  return objection === undefined ? converted : { ok: false, reason: `${shown(option, text)} ${objection}` };
}

/** The text that converts to the value again: what a sample file shows and what a reference to a default yields. */
export function textOf(kind: OptionKind, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (kind === 'list') return (value as readonly string[]).map(quoteItem).join(',');
  if (kind === 'dict') {
    return Object.entries(value as Record<string, string>)
      .map(([key, item]) => `${key}:${quoteItem(item)}`)
      .join(',');
  }
  return String(value);
}

/** What a reference stands for: its text, or why there is none. */
export type Lookup = (reference: string) => { readonly text: string } | { readonly reason: string };

/**
 * Replaces `$name`, `${name}`, `$group.name` by what `lookup` says; `$$` and `\$` give a dollar sign, a dollar before
 * anything else stays. Reasons are collected, all of them.
 */
export function expandReferences(
  text: string,
  lookup: Lookup,
): { readonly text: string; readonly reasons: readonly string[] } {
  const reasons: string[] = [];
  const expanded = text.replace(referencePattern, (_whole, braced?: string, bare?: string) => {
    const reference = braced ?? bare;
    if (reference === undefined) return '$';
    const found = lookup(reference);
    if ('text' in found) return found.text;
    reasons.push(found.reason);
    return '';
  });
  return { text: expanded, reasons };
}

const referencePattern = /\\\$|\$(?:\$|\{([A-Za-z_][\w.-]*)\}|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*))/g;

const yes = (value: unknown): Conversion => ({ ok: true, value });
const no = (reason: string): Conversion => ({ ok: false, reason });

const converters: Record<Exclude<OptionKind, 'multi'>, (text: string) => Conversion> = {
  string: yes,
  integer: toInteger,
  port: toInteger,
  float: toFloat,
  boolean: toBoolean,
  list: toList,
  dict: toDict,
  'host address': toHostAddress,
};

function toInteger(text: string): Conversion {
  if (!/^[+-]?\d+(?:_\d+)*$/.test(text.trim())) return no('is not a whole number');
  const value = Number(text.replaceAll('_', ''));
  return Number.isSafeInteger(value) ? yes(value === 0 ? 0 : value) : no('is too large a number');
}

function toFloat(text: string): Conversion {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim())) return no('is not a number');
  const value = Number(text);
  return Number.isFinite(value) ? yes(value) : no('is too large a number');
}

function toBoolean(text: string): Conversion {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return yes(true);
  if (['false', '0', 'no', 'off'].includes(word)) return yes(false);
  return no('is neither true (1, yes, on) nor false (0, no, off)');
}

/** `a, b, "c, d"`: white space around an item is dropped, an item in quotes may hold commas. */
function toList(text: string): Conversion {
  const items = splitItems(text);
  return items === null ? no('has a quote that is not closed') : yes(items.map(unquoteItem));
}

function toDict(text: string): Conversion {
  const items = splitItems(text, /^[^,:]*:\s*["']/);
  if (items === null) return no('has a quote that is not closed');
  // No prototype: a key such as __proto__ is a key like any other.
  const value: Record<string, string> = Object.create(null);
  for (const item of items) {
    const at = item.indexOf(':');
    const key = item.slice(0, at).trim();
    if (at === -1 || key === '') return no("must be 'key:value' pairs with commas between them");
    if (key in value) return no(`has the key '${key}' twice`);
    value[key] = unquoteItem(item.slice(at + 1).trim());
  }
  return yes(value);
}

/** Splits at commas outside quotes; a quote counts only where an item (or, in a dict, its value) begins with it. */
function splitItems(text: string, opening: RegExp = /^["']/): readonly string[] | null {
  const items: string[] = [];
  let rest = text.trim().replace(/,$/, '');
  while (rest.trim() !== '') {
    rest = rest.trimStart();
    const opened = opening.exec(rest);
    const quote = opened?.[0].at(-1);
    const from = opened?.[0].length ?? 0;
    const closed = quote === undefined ? 0 : endOfQuoted(rest, from, quote);
    if (closed === -1) return null;
    const comma = rest.indexOf(',', closed);
    items.push((comma === -1 ? rest : rest.slice(0, comma)).trim());
    if (comma === -1) return items;
    rest = rest.slice(comma + 1);
    if (rest.trim() === '') items.push('');
  }
  return items;
}

/** The index behind the quote that is followed by a comma or the end; -1 where there is none. */
function endOfQuoted(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    if (/^\s*(?:,|$)/.test(text.slice(at + 1))) return at + 1;
  }
  return -1;
}

function unquoteItem(item: string): string {
  const first = item[0];
  return item.length > 1 && (first === '"' || first === "'") && item.endsWith(first) ? item.slice(1, -1) : item;
}

function quoteItem(item: string): string {
  const plain = item !== '' && item === item.trim() && !/^["']/.test(item) && !item.includes(',');
  if (plain) return item;
  return item.includes('"') ? `'${item}'` : `"${item}"`;
}

function toHostAddress(text: string): Conversion {
  const address = text.trim();
  const labels = address.replace(/\.$/, '').split('.');
  const isName =
    address.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !labels.every((label) => /^\d+$/.test(label));
  return isIP(address) !== 0 || isName ? yes(address) : no('is neither an IP address nor a host name');
}

function outOfBounds(option: Option<unknown>, value: unknown): string | undefined {
  if (typeof value === 'number') {
    if (option.min !== undefined && value < option.min) return `is less than ${option.min}, the smallest allowed`;
    if (option.max !== undefined && value > option.max) return `is more than ${option.max}, the largest allowed`;
  }
  const choices = option.choices;
  if (choices === undefined) return undefined;
  const wrong = (Array.isArray(value) ? value : [value]).filter((item) => !choices.includes(String(item)));
  return wrong.length === 0 ? undefined : `is none of: ${choices.join(', ')}`;
}

function shown(option: Option<unknown>, text: string): string {
  if (option.secret === true) return 'the value (a secret, not shown)';
  return `'${text.length > 80 ? `${text.slice(0, 80)}…` : text}'`;
}
