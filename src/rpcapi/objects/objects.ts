/** Every object of the volume and scheduler interfaces, its newest version and its fields. */
import { type Field, readField } from './field.ts';
import { backupObjects } from './tables/backup.ts';
import { groupObjects } from './tables/group.ts';
import { manageableObjects } from './tables/manageable.ts';
import { requestSpecObjects } from './tables/request-spec.ts';
import { serviceObjects } from './tables/service.ts';
import { volumeObjects } from './tables/volume.ts';

export const objectTable = {
  ...volumeObjects,
  ...requestSpecObjects,
  ...groupObjects,
  ...serviceObjects,
  ...backupObjects,
  ...manageableObjects,
} as const;

export type ObjectName = keyof typeof objectTable;

export interface ObjectDefinition {
  readonly name: ObjectName;
  readonly version: string;
  readonly fields: ReadonlyMap<string, Field>;
}

const definitions: ReadonlyMap<string, ObjectDefinition> = new Map(
  Object.entries(objectTable).map(([name, { version, fields }]) => [
    name,
    {
      name: name as ObjectName,
      version,
      fields: new Map(Object.entries(fields).map(([field, spec]) => [field, readField(spec)])),
    },
  ]),
);

export function findObject(name: string): ObjectDefinition | undefined {
  return definitions.get(name);
}

export function defineObjectOf(name: ObjectName): ObjectDefinition {
  return definitions.get(name) as ObjectDefinition;
}

type Word<T extends string> = T extends `${infer Name}?` ? Name : T;
type ValueOf<T extends string> = T extends 'uuid' | 'string'
  ? string
  : T extends 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'date'
        ? Date
        : T extends 'strings'
          ? Readonly<Record<string, string>>
          : T extends 'nullable-strings'
            ? Readonly<Record<string, string | null>>
            : T extends 'json'
              ? Readonly<Record<string, unknown>>
              : T extends 'list'
                ? readonly string[]
                : T extends `[${infer Name extends ObjectName}]`
                  ? readonly VersionedObject<Name>[]
                  : T extends ObjectName
                    ? VersionedObject<T>
                    : unknown;
/** The type of a value of that notation. */
export type FieldValue<S> = S extends { readonly type: infer T }
  ? FieldValue<T>
  : S extends { readonly values: readonly (infer V)[]; readonly nullable: infer N }
    ? V | (N extends true ? null : never)
    : S extends string
      ? ValueOf<Word<S>> | (S extends `${string}?` ? null : never)
      : never;

/** The fields of an object; each may be unset, which is not the same as null. */
export type FieldsOf<N extends ObjectName> = {
  readonly [F in keyof (typeof objectTable)[N]['fields']]?: FieldValue<(typeof objectTable)[N]['fields'][F]>;
};

/** An object as it stands in our memory: dates are Dates, objects within are VersionedObjects. */
export class VersionedObject<N extends ObjectName = ObjectName> {
  readonly name: N;
  readonly version: string;
  readonly fields: FieldsOf<N>;
  /** The fields that its holder changed and has not saved. */
  readonly changes: readonly string[];

  constructor(name: N, version: string, fields: FieldsOf<N>, changes: readonly string[] = []) {
    this.name = name;
    this.version = version;
    this.fields = fields;
    this.changes = changes;
  }
}

/** Makes an object of its newest version. `changes`: 'all' says that every field of it is news, as a new object does. */
export function makeObject<N extends ObjectName>(
  name: N,
  fields: FieldsOf<N>,
  changes: readonly string[] | 'all' = [],
): VersionedObject<N> {
  const changed = changes === 'all' ? Object.keys(fields) : changes;
  return new VersionedObject(name, objectTable[name].version, fields, changed);
}
