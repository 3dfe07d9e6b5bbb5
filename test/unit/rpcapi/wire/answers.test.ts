import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../../src/model/errors.ts';
import { encodeValue } from '../../../../src/rpcapi/objects/encode.ts';
import { makeObject } from '../../../../src/rpcapi/objects/objects.ts';
import { ownAnswer } from '../../../../src/rpcapi/wire/answers.ts';

const methods = [
  'attachment_update',
  'attachment_delete',
  'initialize_connection',
  'terminate_connection',
  'attach_volume',
  'detach_volume',
];

test('the attachment that a peer names is the answer, in its form and in ours', () => {
  const id = '8d2b1c52-6f3c-4a35-9a5f-2f0ad9c6c2b9';
  const object = makeObject('VolumeAttachment', { id, volume_id: id, attach_status: 'attached' });
  assert.deepEqual(ownAnswer('attach_volume', encodeValue(object)), { attachment_id: id });
  assert.deepEqual(ownAnswer('attach_volume', { attachment_id: id }), { attachment_id: id });
});

test('connections are passed on as they are', () => {
  const flat = { target_lun: 1, driver_volume_type: 'iscsi', attachment_id: 'a' };
  assert.deepEqual(ownAnswer('attachment_update', flat), flat);
  const nested = { driver_volume_type: 'iscsi', data: { target_lun: 1 } };
  assert.deepEqual(ownAnswer('initialize_connection', nested), nested);
  assert.equal(ownAnswer('terminate_connection', true), null);
});

test('whatever is answered is an answer or a RemoteError, which does not quote it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...methods), fc.jsonValue(), (method, answer) => {
      try {
        ownAnswer(method, answer);
      } catch (error) {
        assert.ok(isFailure(error, 'RemoteError'));
        assert.match(error.message, /^The other service failed with an unusable answer to \w+: it [a-z_ ]+$/);
      }
    }),
  );
});
