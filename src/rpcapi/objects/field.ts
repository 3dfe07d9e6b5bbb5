/**
 * The notation of the tables. A field's type is a word, with `?` where null is allowed:
 *
 * - uuid, string, integer, boolean; date: a Date here, `YYYY-MM-DDTHH:MM:SSZ` there
 * - strings: a dictionary of strings; nullable-strings: of strings and nulls; json: of anything; list: a list of strings
 * - `Volume`: an object of that name; `[Volume]`: a list of them; any: any value, null too, with objects anywhere in it
 * - `{ values }`: one of these strings. `{ type, since }`: a field that older versions of the object lack.
 */
type Word =
  | 'uuid'
  | 'string'
  | 'integer'
  | 'boolean'
  | 'date'
  | 'strings'
  | 'nullable-strings'
  | 'json'
  | 'list'
  | 'any';
type Capital =
  | ('A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M')
  | ('N' | 'O' | 'P' | 'Q' | 'R' | 'S' | 'T' | 'U' | 'V' | 'W' | 'X' | 'Y' | 'Z');

export type FieldType =
  | Word
  | `${Word}?`
  | `${Capital}${string}`
  | `[${string}]`
  | { readonly values: readonly string[]; readonly nullable: boolean };
export type FieldSpec = FieldType | { readonly type: FieldType; readonly since: string };
export type ObjectTable = Readonly<
  Record<string, { readonly version: string; readonly fields: Readonly<Record<string, FieldSpec>> }>
>;

/** What every row of the database has. */
export const stamps = {
  created_at: 'date?',
  updated_at: 'date?',
  deleted_at: 'date?',
  deleted: 'boolean?',
} as const;

/** A type in the form that decoding reads. */
export type Field = { readonly nullable: boolean; readonly since: string | null } & (
  | { readonly kind: 'value'; readonly word: Word }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'object'; readonly object: string }
  | { readonly kind: 'objects'; readonly object: string }
);

export function readField(spec: FieldSpec): Field {
  if (typeof spec === 'object' && 'type' in spec) return { ...readField(spec.type), since: spec.since };
  const since = null;
  if (typeof spec === 'object') return { kind: 'choice', values: spec.values, nullable: spec.nullable, since };
  const nullable = spec.endsWith('?') || spec === 'any';
  const name = spec.endsWith('?') ? spec.slice(0, -1) : spec;
  if (name.startsWith('[')) return { kind: 'objects', object: name.slice(1, -1), nullable, since };
  if (/^[A-Z]/.test(name)) return { kind: 'object', object: name, nullable, since };
  return { kind: 'value', word: name as Word, nullable, since };
}
