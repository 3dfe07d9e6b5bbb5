import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeFields, decodeObject, decodeValue } from '../../../../src/rpcapi/objects/decode.ts';
import { encodeValue } from '../../../../src/rpcapi/objects/encode.ts';
import type { Field, readField } from '../../../../src/rpcapi/objects/field.ts';
import { backport, forward, OBJECT_HISTORIES, versionIn } from '../../../../src/rpcapi/objects/history.ts';
import { findObject, type ObjectName, objectTable, VersionedObject } from '../../../../src/rpcapi/objects/objects.ts';
import { readCapturedMessages } from '../../../support/cinder-fixtures.ts';

const names = Object.keys(objectTable) as ObjectName[];
const anObject = fc.constantFrom(...names).chain((name) => objectOf(name, 3));

describe('versioned objects', () => {
  it('come back from the wire as they went', () => {
    fc.assert(
      fc.property(anObject, (object) => {
        const wire = JSON.parse(JSON.stringify(encodeValue(object)));
        assert.deepEqual(decodeObject(object.name, wire), { ok: true, value: object, ignored: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('lose on the way to an older peer what that peer does not know, and nothing else', () => {
    fc.assert(
      fc.property(anObject, fc.constantFrom(...OBJECT_HISTORIES), (object, history) => {
        for (const [before, after] of pairs(object, backport({ in: [object] }, history))) {
          assert.equal(after.version, versionIn(history, before.name));
          const lost = history === '1.38' && ['Volume', 'Snapshot'].includes(before.name) ? ['use_quota'] : [];
          const stays = (name: string) => !lost.includes(name);
          assert.deepEqual(Object.keys(after.fields), Object.keys(before.fields).filter(stays));
          assert.deepEqual(after.changes, before.changes.filter(stays));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are of the newest version, and read as that, once they are lifted', () => {
    fc.assert(
      fc.property(anObject, (object) => {
        const lifted = forward(backport(object, '1.38')) as VersionedObject;
        for (const [before, after] of pairs(object, lifted)) {
          assert.equal(after.version, objectTable[before.name].version);
          if (['Volume', 'Snapshot'].includes(before.name)) assert.ok('use_quota' in after.fields);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('malformed values', () => {
  const captured = readCapturedMessages().map(({ args }) => args);

  it('give faults or a value, never an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(...names), (value, name) => {
        assert.equal(decodeObject(name, value).ok, false);
        assert.equal(typeof decodeValue(value).ok, 'boolean');
        assert.equal(typeof decodeFields(findObject(name)!.fields, { id: value, objects: value }).ok, 'boolean');
      }),
    );
  });

  it('are found wherever they stand in a message', () => {
    const object = 'versioned_object.';
    const spoilt = fc.constantFrom<[string, unknown]>(
      [`${object}name`, 7],
      [`${object}name`, 'Volum'],
      [`${object}namespace`, 'nova'],
      [`${object}version`, '2.0'],
      [`${object}version`, '1.99'],
      [`${object}version`, 1.9],
      [`${object}version`, { toString: false }],
      [`${object}data`, null],
      [`${object}data`, []],
      [`${object}changes`, 'id'],
      [`${object}changes`, [1]],
    );
    const withObjects = captured.filter((args) => places(args).length > 0);
    fc.assert(
      fc.property(fc.constantFrom(...withObjects), fc.nat(), spoilt, (args, at, [key, value]) => {
        const copy = structuredClone(args);
        const found = places(copy);
        found[at % found.length]![key] = value;
        const decoded = decodeValue(copy);
        assert.ok(!decoded.ok && decoded.faults.length > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('are described by a path, without the value', () => {
    const message = structuredClone(captured.find((args) => 'vref' in args && 'connector' in args)!);
    const data = (message.vref as Record<string, Record<string, unknown>>)['versioned_object.data']!;
    const type = data.volume_type as Record<string, Record<string, unknown>>;
    data.size = '2';
    data.id = null;
    data.provider_auth = { secret: 'CHAP' };
    data.created_at = '2026-02-30T00:00:00Z';
    data.attach_status = 'detaching';
    type['versioned_object.data']!.extra_specs = { a: 1 };
    const decoded = decodeValue(message);
    assert.ok(!decoded.ok);
    assert.deepEqual(
      decoded.faults.map(({ path, reason }) => `${path} ${reason}`),
      [
        'vref.id is null, which it must not be',
        'vref.size is no whole number',
        'vref.attach_status is none of attached, attaching, detached, error_attaching, error_detaching, reserved, deleted',
        'vref.provider_auth is no string',
        'vref.volume_type.extra_specs is no dictionary of strings',
        'vref.created_at is no date like 2026-01-31T12:00:00Z',
      ],
    );
  });

  it('of any depth and any number of faults are told in bounds', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
    const decoded = decodeValue(deep);
    assert.ok(!decoded.ok && /deeper than 64/.test(decoded.faults[0]!.reason));
    const many = decodeValue(Array.from({ length: 1000 }, () => ({ 'versioned_object.name': 'X' })));
    assert.ok(!many.ok && many.faults.length === 20);
  });
});

describe('decoding', () => {
  const object = (data: object, version = '1.3') => ({
    'versioned_object.name': 'VolumeType',
    'versioned_object.namespace': 'cinder',
    'versioned_object.version': version,
    'versioned_object.data': data,
  });

  it('drops fields that the object has not, and says so', () => {
    const decoded = decodeObject('VolumeType', object({ id: 'a', colour: 'red' }));
    assert.ok(decoded.ok);
    assert.deepEqual([decoded.value.fields, decoded.ignored], [{ id: 'a' }, ['colour']]);
  });

  it('keeps unset and null apart', () => {
    const decoded = decodeObject('VolumeType', object({ id: 'a', name: null }));
    assert.ok(decoded.ok);
    assert.deepEqual(Object.keys(decoded.value.fields), ['id', 'name']);
    assert.deepEqual(encodeValue(decoded.value), object({ id: 'a', name: null }));
  });

  it('takes an older version as it is, and refuses another object in its place', () => {
    const older = decodeObject('VolumeType', object({ id: 'a' }, '1.0'));
    assert.ok(older.ok && older.value.version === '1.0');
    assert.equal(decodeObject('Volume', object({ id: 'a' })).ok, false);
  });

  it('reads dates with a fraction or an offset, and writes whole seconds of UTC', () => {
    const decoded = decodeObject('VolumeType', object({ created_at: '2026-01-31T01:30:00.999999+02:00' }));
    assert.ok(decoded.ok);
    assert.deepEqual(encodeValue(decoded.value), object({ created_at: '2026-01-30T23:30:00Z' }));
  });
});

/** Values of an object's fields: each may be unset, references end at the depth. */
function objectOf(name: ObjectName, depth: number): fc.Arbitrary<VersionedObject> {
  const { version, fields } = findObject(name)!;
  const known = [...fields].flatMap(([field, spec]) => {
    const values = valuesOf(spec, depth);
    return values === null ? [] : [[field, spec.nullable ? fc.option(values) : values] as const];
  });
  const record = fc.record(Object.fromEntries(known), { requiredKeys: [], noNullPrototype: true });
  return fc
    .tuple(record, fc.subarray([...fields.keys()]))
    .map(([values, changes]) => new VersionedObject(name, version, values, changes));
}

function valuesOf(field: Field, depth: number): fc.Arbitrary<unknown> | null {
  if (field.kind === 'choice') return fc.constantFrom(...field.values);
  if (field.kind === 'value') return words[field.word];
  if (depth === 0) return null;
  const object = fc.constant(0).chain(() => objectOf(field.object as ObjectName, depth - 1));
  return field.kind === 'object' ? object : fc.array(object, { maxLength: 2 });
}

const dictionary = (values: fc.Arbitrary<unknown>) =>
  fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    values,
    { maxKeys: 3, noNullPrototype: true },
  );
const words: Readonly<Record<Extract<ReturnType<typeof readField>, { kind: 'value' }>['word'], fc.Arbitrary<unknown>>> =
  {
    uuid: fc.uuid(),
    string: fc.string({ unit: 'grapheme' }),
    integer: fc.maxSafeInteger(),
    boolean: fc.boolean(),
    date: fc
      .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
    strings: dictionary(fc.string()),
    'nullable-strings': dictionary(fc.option(fc.string())),
    json: dictionary(fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.string()))),
    list: fc.array(fc.string()),
    any: fc.string(),
  };

/** The objects of two values, one beside the other. */
function pairs(before: unknown, after: unknown): [VersionedObject, VersionedObject][] {
  const [a, b] = [objectsIn(before), objectsIn(after)];
  assert.equal(a.length, b.length);
  return a.map((object, index) => [object, b[index]!]);
}

function objectsIn(value: unknown): VersionedObject[] {
  if (value === null || typeof value !== 'object') return [];
  const inner = Object.values(value instanceof VersionedObject ? value.fields : value).flatMap(objectsIn);
  return value instanceof VersionedObject ? [value, ...inner] : inner;
}

/** Every object of a message as it stands on the wire. */
function places(value: unknown): Record<string, unknown>[] {
  if (value === null || typeof value !== 'object') return [];
  const inner = Object.values(value).flatMap(places);
  return 'versioned_object.name' in value ? [value as Record<string, unknown>, ...inner] : inner;
}
