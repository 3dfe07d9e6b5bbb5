import type { Field } from './field.ts';
import { findObject, type ObjectDefinition, type ObjectName, VersionedObject } from './objects.ts';
import { understands } from './version.ts';

/** What is wrong, and where: `volume.size`. The value itself is not told: it may be a secret. */
export interface Fault {
  readonly path: string;
  readonly reason: string;
}

/** `ignored`: what a peer sent that this release has no field for, by path; it is dropped. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly ignored: readonly string[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Faults and ignored fields that are told; the rest of them adds nothing. */
const TELLING_LIMIT = 20;
/** How deep objects, dictionaries and lists may stand in each other. The deepest that peers were seen to send is 12. */
const DEPTH_LIMIT = 64;

/**
 * Decodes any value of a message: plain JSON with versioned objects anywhere in it. Never throws.
 *
 * A field that the object has not is dropped and named in `ignored`, as peers do; a value of the wrong type, null where
 * null is not allowed, an unknown object and a version newer than ours are faults.
 */
export function decodeValue(value: unknown): Decoded<unknown> {
  return collect((reader) => reader.any(value, '', 0));
}

/** Decodes an object, which has to be one of that name. Never throws. */
export function decodeObject<N extends ObjectName>(name: N, value: unknown): Decoded<VersionedObject<N>> {
  return collect((reader) => reader.object(value, name, '', 0) as VersionedObject<N>);
}

/** Decodes named values of the given types; a name without a value is left out of the result. Never throws. */
export function decodeFields(
  fields: ReadonlyMap<string, Field>,
  values: Readonly<Record<string, unknown>>,
): Decoded<Record<string, unknown>> {
  return collect((reader) => reader.fields(fields, values, '', 0));
}

function collect<T>(read: (reader: Reader) => T): Decoded<T> {
  const reader = new Reader();
  const value = read(reader);
  return reader.faults.length === 0
    ? { ok: true, value, ignored: reader.ignored }
    : { ok: false, faults: reader.faults };
}

/** Reads one message; what it returns is of use only while there are no faults. */
class Reader {
  readonly faults: Fault[] = [];
  readonly ignored: string[] = [];

  any(value: unknown, path: string, depth: number): unknown {
    if (value === null || typeof value !== 'object') return value;
    if (depth > DEPTH_LIMIT) return this.fault(path, `is nested deeper than ${DEPTH_LIMIT}`);
    if (Array.isArray(value)) return value.map((item, index) => this.any(item, join(path, index), depth + 1));
    if (Object.hasOwn(value, 'versioned_object.name')) return this.object(value, null, path, depth);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.any(item, join(path, key), depth + 1)]),
    );
  }

  object(value: unknown, expected: string | null, path: string, depth: number): unknown {
    if (depth > DEPTH_LIMIT) return this.fault(path, `is nested deeper than ${DEPTH_LIMIT}`);
    const whole = asDictionary(value);
    const name = whole?.['versioned_object.name'];
    if (whole === null || typeof name !== 'string') return this.fault(path, 'is no versioned object');
    if (expected !== null && name !== expected) return this.fault(path, `is a ${cut(name)}, not a ${expected}`);
    const definition = findObject(name);
    if (definition === undefined) return this.fault(path, `is a ${cut(name)}, which is not known here`);
    const {
      'versioned_object.namespace': namespace,
      'versioned_object.version': version,
      'versioned_object.data': data,
      'versioned_object.changes': changes = [],
    } = whole;
    if (namespace !== 'cinder') return this.fault(path, "is not of the namespace 'cinder'");
    if (typeof version !== 'string') return this.fault(path, 'has no version');
    if (!understands(definition.version, version)) {
      return this.fault(path, `is ${name} ${cut(version)}; ${definition.version} and older are known here`);
    }
    const fields = asDictionary(data);
    if (fields === null) return this.fault(path, 'has no data');
    if (!isListOfStrings(changes)) return this.fault(path, 'has changes that are no list of names');
    for (const key of Object.keys(fields)) if (!definition.fields.has(key)) this.ignore(join(path, key));
    return this.build(definition, version, fields, changes, path, depth);
  }

  fields(
    definitions: ReadonlyMap<string, Field>,
    values: Readonly<Record<string, unknown>>,
    path: string,
    depth: number,
  ): Record<string, unknown> {
    const decoded: Record<string, unknown> = {};
    for (const [name, field] of definitions) {
      if (Object.hasOwn(values, name)) decoded[name] = this.field(field, values[name], join(path, name), depth + 1);
    }
    return decoded;
  }

  private build(
    { name, fields }: ObjectDefinition,
    version: string,
    data: Readonly<Record<string, unknown>>,
    changes: readonly string[],
    path: string,
    depth: number,
  ): VersionedObject {
    const known = changes.filter((field) => fields.has(field));
    return new VersionedObject(name, version, this.fields(fields, data, path, depth), known);
  }

  private field(field: Field, value: unknown, path: string, depth: number): unknown {
    if (value === null) return field.nullable ? null : this.fault(path, 'is null, which it must not be');
    switch (field.kind) {
      case 'object':
        return this.object(value, field.object, path, depth);
      case 'objects':
        if (!Array.isArray(value)) return this.fault(path, 'is no list');
        return value.map((item, index) => this.object(item, field.object, join(path, index), depth + 1));
      case 'choice':
        if (typeof value === 'string' && field.values.includes(value)) return value;
        return this.fault(path, `is none of ${field.values.join(', ')}`);
      case 'value':
        return this.value(field.word, value, path, depth);
    }
  }

  private value(word: Extract<Field, { kind: 'value' }>['word'], value: unknown, path: string, depth: number): unknown {
    switch (word) {
      // An id that is no uuid is taken, as peers take it: projects and users come from elsewhere.
      case 'uuid':
      case 'string':
        return typeof value === 'string' ? value : this.fault(path, 'is no string');
      case 'integer':
        return Number.isSafeInteger(value) ? value : this.fault(path, 'is no whole number');
      case 'boolean':
        return typeof value === 'boolean' ? value : this.fault(path, 'is neither true nor false');
      case 'date':
        return readDate(value) ?? this.fault(path, 'is no date like 2026-01-31T12:00:00Z');
      case 'strings':
        return isDictionaryOf(value, isString) ? value : this.fault(path, 'is no dictionary of strings');
      case 'nullable-strings':
        return isDictionaryOf(value, isStringOrNull) ? value : this.fault(path, 'is no dictionary of strings');
      case 'list':
        return isListOfStrings(value) ? value : this.fault(path, 'is no list of strings');
      case 'json':
        return asDictionary(value) === null ? this.fault(path, 'is no dictionary') : this.any(value, path, depth);
      case 'any':
        return this.any(value, path, depth);
    }
  }

  private fault(path: string, reason: string): null {
    if (this.faults.length < TELLING_LIMIT) this.faults.push({ path, reason });
    return null;
  }

  private ignore(path: string): void {
    if (this.ignored.length < TELLING_LIMIT) this.ignored.push(path);
  }
}

/** A date of the wire: seconds or finer, Z or an offset; without either it is UTC. */
function readDate(value: unknown): Date | null {
  const match =
    typeof value === 'string'
      ? /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/.exec(value)
      : null;
  if (match === null) return null;
  const [, day, time, fraction = '', zone = 'Z'] = match;
  // Date.parse takes the 30th of February for the 2nd of March.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return null;
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${zone}`);
  return /^\d{4}-/.test(Number.isNaN(date.getTime()) ? '' : date.toISOString()) ? date : null;
}

function asDictionary(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function isDictionaryOf(value: unknown, accepts: (item: unknown) => boolean): boolean {
  const dictionary = asDictionary(value);
  return dictionary !== null && Object.values(dictionary).every(accepts);
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStringOrNull(value: unknown): boolean {
  return value === null || isString(value);
}

function join(path: string, part: string | number): string {
  return path === '' ? cut(String(part)) : `${path}.${cut(String(part))}`;
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
