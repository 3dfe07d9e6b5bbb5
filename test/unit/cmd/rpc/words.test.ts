import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readArguments, readTarget, usualVersion } from '../../../../src/cmd/rpc/words.ts';

test('a value is JSON where it reads as JSON, and else text', () => {
  const words = ['size=3', 'name=x y', 'force=true', 'none=null', 'host={"a":[1]}', 'text="3"', 'eq=a=b', 'empty='];
  const read = readArguments(words);
  const text = { text: '3', eq: 'a=b', empty: '' };
  assert.deepEqual(read, { size: 3, name: 'x y', force: true, none: null, host: { a: [1] }, ...text });
});

test('whatever is written as key=JSON is read back', () => {
  const names = fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/);
  const values = fc.dictionary(names, fc.jsonValue(), { noNullPrototype: true });
  fc.assert(
    fc.property(values, (args) => {
      const words = Object.entries(args).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      assert.equal(JSON.stringify(readArguments(words)), JSON.stringify(args));
    }),
  );
});

test('a word that is no argument is named', () => {
  assert.throws(() => readArguments(['size']), /'size' is no argument: write key=value/);
  assert.throws(() => readArguments(['=3']), /'=3' is no argument/);
  assert.throws(() => readArguments(['a=1', 'a=2']), /the argument a is there twice/);
});

test('a volume service is reached where every make of it listens', () => {
  assert.deepEqual(readTarget('cinder-volume', 'node@lvm'), { topic: 'cinder-volume.node@lvm', server: 'node' });
  assert.deepEqual(readTarget('cinder-volume', undefined), { topic: 'cinder-volume' });
  assert.deepEqual(readTarget('cinder-scheduler', 'node'), { topic: 'cinder-scheduler', server: 'node' });
});

test('the version is the one that callers state', () => {
  assert.equal(usualVersion('cinder-volume', 'attachment_update'), '3.9');
  assert.equal(usualVersion('cinder-volume.node@lvm', 'get_capabilities'), '3.0');
  assert.equal(usualVersion('cinder-scheduler', 'create_volume'), '3.0');
  assert.equal(usualVersion('toString', 'x'), '3.0');
});
