import { VersionedObject } from './objects.ts';

/**
 * An object as a plain dictionary: the form in which filter_properties carries a request spec. Dates have microseconds
 * and no zone, lists of objects are bare lists, and what a peer's object computes (its name on the backend, for one)
 * stands among the fields.
 */
export function plainCopy(object: VersionedObject): Record<string, unknown> {
  return copyObject(object, null);
}

/** `2026-01-31T12:00:00.000000`, in UTC. */
export function formatPlainDate(date: Date): string {
  return `${date.toISOString().slice(0, 23)}000`;
}

type Fields = Readonly<Record<string, unknown>>;

function copyObject(object: VersionedObject, parent: Fields | null): Record<string, unknown> {
  const fields: Fields = object.fields;
  const copy = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, copyValue(value, fields)]));
  return { ...copy, ...computed(object.name, fields, copy, parent) };
}

function copyValue(value: unknown, parent: Fields): unknown {
  if (value instanceof VersionedObject) {
    const { objects } = value.fields as { readonly objects?: unknown };
    return Array.isArray(objects) ? objects.map((item) => copyValue(item, parent)) : copyObject(value, parent);
  }
  return value instanceof Date ? formatPlainDate(value) : value;
}

function computed(name: string, fields: Fields, copy: Fields, parent: Fields | null): Fields {
  switch (name) {
    case 'Volume': {
      const nameId = fields._name_id ?? fields.id;
      return {
        name: `volume-${nameId}`,
        name_id: nameId,
        volume_metadata: pairs(fields.metadata),
        volume_admin_metadata: pairs(fields.admin_metadata),
        volume_glance_metadata: pairs(fields.glance_metadata),
      };
    }
    case 'VolumeAttachment':
      return { project_id: parent?.project_id ?? null, volume_host: parent?.host ?? null };
    case 'Snapshot':
      return { name: `snapshot-${fields.id}`, volume_name: `volume-${fields.volume_id}` };
    case 'RequestSpec':
      return { resource_properties: copy.volume_properties ?? null };
    default:
      return {};
  }
}

function pairs(dictionary: unknown): readonly { readonly key: string; readonly value: unknown }[] {
  return Object.entries(dictionary ?? {}).map(([key, value]) => ({ key, value }));
}
