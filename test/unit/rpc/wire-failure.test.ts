import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { AshlarError, type ErrorCode, errorCatalogue, failure } from '../../../src/model/errors.ts';
import { decodeFailure, encodeFailure } from '../../../src/rpc/wire-failure.ts';

const directory = new URL('../../fixtures/cinder/captures/', import.meta.url);
const captured = readdirSync(directory)
  .filter((name) => name.startsWith('rpc.'))
  .flatMap((name) => {
    const { reply = [], error_examples: errors = [] } = JSON.parse(readFileSync(new URL(name, directory), 'utf8'));
    return [...reply, ...errors.map((example: { reply: unknown }) => example.reply)];
  })
  .map((reply) => reply.message.failure as string | null)
  .filter((text) => text !== null);
const capturedOf = (name: string) => captured.find((text) => JSON.parse(text).class === name)!;

test('failures that Cinder sent become ours', () => {
  const id = JSON.parse(capturedOf('VolumeNotFound')).kwargs.volume_id;
  const missing = decodeFailure(capturedOf('VolumeNotFound'));
  assert.deepEqual([missing.code, missing.params], ['VolumeNotFound', { id }]);
  assert.equal(missing.message, `Volume ${id} could not be found.`);
  const backend = decodeFailure(capturedOf('VolumeBackendAPIException'));
  assert.match(backend.message, /^Backend failed: Driver initialize connection failed/);
  assert.equal(decodeFailure(capturedOf('NoSuchMethod')).code, 'NoSuchMethod');
  assert.match(decodeFailure(capturedOf('NoSuchMethod')).message, /RPC method no_such_method/);
  assert.equal(decodeFailure(capturedOf('UnsupportedVersion')).code, 'UnsupportedVersion');
  assert.equal(decodeFailure(capturedOf('TypeError')).code, 'InvalidArguments');
  assert.match(decodeFailure(capturedOf('TypeError')).message, /unexpected keyword argument 'bogus'/);
});

test('ours have the shape of theirs, key by key', () => {
  const theirs = JSON.parse(capturedOf('VolumeNotFound'));
  const { ashlar: _own, ...ours } = JSON.parse(encodeFailure(failure('VolumeNotFound', { id: 'v1' })));
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  assert.deepEqual([ours.module, ours.class], [theirs.module, theirs.class]);
  assert.deepEqual(ours.kwargs, { volume_id: 'v1', code: 404 });
  assert.deepEqual(ours.args, ['Volume v1 could not be found.']);
});

test('every error of the catalogue comes back with code, parameters and message', () => {
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const names = [...errorCatalogue[code].template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const error = new AshlarError(code, Object.fromEntries(names.map((name, place) => [name, `${name}${place}`])));
    const { code: got, params, message } = decodeFailure(encodeFailure(error));
    assert.deepEqual([got, params, message], [code, error.params, error.message]);
  }
});

test('classes are those that Cinder has, or of Python', () => {
  const classOf = (error: unknown) => {
    const { module, class: name, kwargs } = JSON.parse(encodeFailure(error));
    return [module, name, Object.keys(kwargs).length > 0];
  };
  assert.deepEqual(classOf(failure('BackendFull', { freeGb: 1, requestedGb: 2 })), [
    'cinder.exception',
    'VolumeBackendAPIException',
    true,
  ]);
  assert.deepEqual(classOf(failure('NoSuchMethod', { method: 'm' })), [
    'oslo_messaging.rpc.dispatcher',
    'NoSuchMethod',
    false,
  ]);
  assert.deepEqual(classOf(failure('InvalidArguments', { method: 'm', reason: 'r' })), [
    'builtins',
    'TypeError',
    false,
  ]);
  assert.deepEqual(classOf(new Error('x')), ['builtins', 'RuntimeError', false]);
});

test('an unknown class says its name, and no text makes decoding throw', () => {
  const text = JSON.stringify({ class: 'OperationalError', module: 'sqlalchemy.exc', message: 'gone', kwargs: {} });
  assert.equal(decodeFailure(text).message, 'The other service failed with OperationalError: gone');
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"class":"toString","module":"cinder.exception"}')),
      (any) => {
        assert.ok(decodeFailure(any) instanceof AshlarError);
      },
    ),
  );
});
