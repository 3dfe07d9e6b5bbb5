import { VersionedObject } from './objects.ts';

/** The wire form of a value: versioned objects and dates within it become JSON, all else stays as it is. */
export function encodeValue(value: unknown): unknown {
  if (value instanceof VersionedObject) return encodeObject(value);
  if (value instanceof Date) return formatWireDate(value);
  if (Array.isArray(value)) return value.map(encodeValue);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encodeValue(item)]));
}

/** `YYYY-MM-DDTHH:MM:SSZ`: what is finer than a second is cut off. */
export function formatWireDate(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function encodeObject({ name, version, fields, changes }: VersionedObject): Record<string, unknown> {
  return {
    'versioned_object.name': name,
    'versioned_object.namespace': 'cinder',
    'versioned_object.version': version,
    'versioned_object.data': encodeValue(fields),
    ...(changes.length > 0 ? { 'versioned_object.changes': changes } : {}),
  };
}
