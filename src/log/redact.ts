/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/**
 * A copy of a log line's fields in which no secret is left: values under telling keys (password, token, chap, …) are
 * replaced at any depth, text is passed through `redactText`, errors become plain objects with their causes. Depth and
 * length are limited, circles are cut, getters that throw are survived: logging never fails because of what is logged.
 */
export function redactFields(fields: object): Record<string, unknown> {
  const copy = redactValue(fields, 0, []);
  return typeof copy === 'object' && copy !== null && !Array.isArray(copy)
    ? (copy as Record<string, unknown>)
    : { value: copy };
}

/**
 * Text without the secrets that it shows by its form: `CHAP user password`, `iscsi://user%password@`,
 * `scheme://user:password@`, `password=…`, `--token …`, `Authorization: …`, tgt's `incominguser user password`.
 * Takes rather too much than too little.
 */
export function redactText(text: string): string {
  if (!suspicious.test(text)) return text;
  return patterns.reduce((rest, pattern) => rest.replace(pattern, `$1${REDACTED}`), text);
}

const MAX_DEPTH = 8;
const MAX_ITEMS = 200;
const MAX_TEXT = 16_384;

/** A cheap first look: no pattern below matches a text without one of these. */
const suspicious = /chap|:\/\/|pass|pwd|secret|token|authorization|cookie|inguser|api[_-]?key|private[_-]?key/i;

const secretWord = '(?:pass(?:word|wd|phrase)?|pwd|secret|token|cookie|api[_-]?key|private[_-]?key)';
/** Every repetition before the secret is bounded: a hostile line of any length is read in linear time. */
const patterns: readonly RegExp[] = [
  /\b(chap\s{1,8}\S{1,256}\s{1,8})\S+/gi,
  /\b((?:incoming|outgoing)user\s{1,8}\S{1,256}\s{1,8})\S+/gi,
  // The user part ends at the first : or %, the password at the last @ of the authority.
  /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:%@/?#"'<>]{0,256}[:%])[^\s/?#"'<>]*(?=@)/gi,
  /(authorization["']?\s{0,8}[=:]\s{0,8}["']?(?:(?:basic|bearer|digest|negotiate)\s{1,8})?)[^\s"']+/gi,
  new RegExp(`(--?[\\w-]{0,40}${secretWord}[\\w-]{0,40}(?:\\s{1,8}|=)["']?)[^\\s"']+`, 'gi'),
  new RegExp(
    `(${secretWord}[\\w-]{0,40}\\\\{0,3}["']?\\s{0,8}[=:]\\s{0,8}\\\\{0,3})(?:"[^"]*"?|'[^']*'?|[^\\s"',;&})]+)`,
    'gi',
  ),
];

const secretKey =
  /pass(?:word|wd|phrase)?$|passwords$|pwd$|secret|token|chap|credential|authorization|cookie|providerauth|privatekey|apikey/;
/** Keys that only speak of a secret: where it lies, what it is called. */
const harmlessKey = /(?:file|path|name|user|method|id|count|enabled|length)$/;

function isSecretKey(key: string): boolean {
  const plain = key.toLowerCase().replaceAll(/[^a-z]/g, '');
  return secretKey.test(plain) && !harmlessKey.test(plain);
}

function redactValue(value: unknown, depth: number, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(shortened(value));
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return '[circular]';
  if (depth > MAX_DEPTH) return '[too deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const inside = [...above, value];
  const deeper = (item: unknown) => redactValue(item, depth + 1, inside);
  if (Array.isArray(value) || value instanceof Set) return limited([...value]).map(deeper);
  if (value instanceof Map)
    return redactEntries(
      [...value].map(([key, item]) => [String(key), item]),
      deeper,
    );
  if (value instanceof URL) return redactText(String(value));
  return redactEntries(value instanceof Error ? entriesOfError(value) : entriesOf(value), deeper);
}

function redactEntries(entries: readonly (readonly [string, unknown])[], deeper: (value: unknown) => unknown): object {
  // fromEntries makes own properties only: a key such as __proto__ is logged like any other.
  return Object.fromEntries(
    limited(entries).map(([key, value]) => [key, isSecretKey(key) && !saysNothing(value) ? REDACTED : deeper(value)]),
  );
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.keys(value).map((key) => {
    try {
      return [key, (value as Record<string, unknown>)[key]];
    } catch {
      return [key, '[cannot be read]'];
    }
  });
}

/** An error's own fields (code, params, …) and what an error always has, which is not enumerable. */
function entriesOfError(error: Error): readonly (readonly [string, unknown])[] {
  const own = entriesOf(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key));
  const cause = error.cause === undefined ? [] : [['cause', error.cause] as const];
  return [['type', error.name], ['message', error.message], ['stack', error.stack], ...own, ...cause];
}

function saysNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '' || typeof value === 'boolean';
}

function limited<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, MAX_ITEMS);
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
}
