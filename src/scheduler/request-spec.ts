import { VersionedObject } from '../rpcapi/objects/objects.ts';

/** What a request spec asks for, be it an object or a plain dictionary; its fields by name. */
export function readSpec(spec: unknown): { readonly sizeGb: number; readonly typeId: string | null } {
  const properties = fieldsOf(fieldsOf(spec).volume_properties);
  const { size, volume_type_id: typeId } = properties;
  return {
    sizeGb: typeof size === 'number' && size > 0 ? size : 0,
    typeId: typeof typeId === 'string' ? typeId : null,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value instanceof VersionedObject) return value.fields;
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
