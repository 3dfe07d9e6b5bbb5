import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Field } from '../../../../src/rpcapi/objects/field.ts';
import { OBJECT_HISTORIES, versionIn } from '../../../../src/rpcapi/objects/history.ts';
import { findObject, type ObjectName, objectTable } from '../../../../src/rpcapi/objects/objects.ts';
import { readFactTable } from '../../../support/cinder-fixtures.ts';

const words: Readonly<Record<string, string>> = {
  UUIDField: 'uuid',
  StringField: 'string',
  IntegerField: 'integer',
  BooleanField: 'boolean',
  DateTimeField: 'date',
  DictOfStringsField: 'strings',
  DictOfNullableStringsField: 'nullable-strings',
  DictOfNullableField: 'json',
  ListOfStringsField: 'list',
};

describe('the tables of versioned objects', () => {
  const facts = readFactTable('objects.csv');

  it('have every object and every field of the release, and no other', () => {
    const expected = facts.map(({ object, version, field, type, of, nullable, enum: values }) => {
      const what = type === 'ObjectField' || type === 'ListOfObjectsField' ? of : (words[type!] ?? values);
      return `${object} ${version} ${field}: ${type === 'ListOfObjectsField' ? 'many ' : ''}${what}${nullable === 'True' ? ' or null' : ''}`;
    });
    const actual = Object.keys(objectTable).flatMap((object) => {
      const { version, fields } = findObject(object)!;
      return [...fields].map(([name, field]) => `${object} ${version} ${name}: ${describeField(field)}`);
    });
    assert.ok(expected.length > 300);
    assert.deepEqual(actual.toSorted(), expected.toSorted());
  });

  it('know every version of every history', () => {
    const manifest = readFactTable('object_version_manifest.csv');
    assert.deepEqual([...new Set(manifest.map((row) => row.history_version))], OBJECT_HISTORIES);
    for (const { history_version: history, object, version } of manifest) {
      const known = OBJECT_HISTORIES.find((name) => name === history)!;
      assert.equal(versionIn(known, object as ObjectName), version, `${object} in ${history}`);
    }
  });
});

function describeField(field: Field): string {
  const orNull = field.nullable ? ' or null' : '';
  switch (field.kind) {
    case 'value':
      return field.word + orNull;
    case 'choice':
      return field.values.join(' ') + orNull;
    case 'object':
      return field.object + orNull;
    case 'objects':
      return `many ${field.object}${orNull}`;
  }
}
