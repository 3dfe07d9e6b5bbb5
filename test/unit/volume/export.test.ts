import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attachment } from '../../../src/model/attachment.ts';
import { consumersLeft, parseProviderAuth } from '../../../src/volume/export.ts';

function attachment(id: string, changes: Partial<Attachment> = {}): Attachment {
  return {
    id,
    volumeId: 'v',
    instanceId: null,
    attachedHost: null,
    mountpoint: null,
    attachMode: 'rw',
    attachStatus: 'attached',
    connector: null,
    connectionInfo: null,
    attachTime: null,
    detachTime: null,
    createdAt: new Date(0),
    updatedAt: null,
    deletedAt: null,
    deleted: false,
    ...changes,
  };
}
const one = attachment('1', { connector: { initiator: 'iqn.one' } });
const two = attachment('2', { connector: { initiator: 'iqn.two' } });
const older = attachment('3', { attachedHost: 'h3' });
const reserved = attachment('4', { attachStatus: 'reserved' });
const ids = (list: readonly Attachment[]) => list.map(({ id }) => id);

test('one attachment leaves: the others stay, those that only reserved do not need the export', () => {
  assert.deepEqual(ids(consumersLeft([one, two, reserved], { attachmentId: '1' })), ['2']);
  assert.deepEqual(ids(consumersLeft([one, reserved], { attachmentId: '1' })), []);
});

test('a connector leaves: its own attachments go, whatever their number', () => {
  const twin = attachment('5', { connector: { initiator: 'iqn.one' } });
  assert.deepEqual(ids(consumersLeft([one, twin, two], { connector: { initiator: 'iqn.one' } })), ['2']);
});

test('rows of the older call are told apart by host', () => {
  assert.deepEqual(ids(consumersLeft([older], { connector: { initiator: 'iqn.x', host: 'h3' } })), []);
  assert.deepEqual(ids(consumersLeft([older], { connector: { initiator: 'iqn.x', host: 'h9' } })), ['3']);
  assert.deepEqual(ids(consumersLeft([attachment('6')], { connector: { initiator: 'iqn.x' } })), []);
});

test('a null connector means everybody', () => {
  assert.deepEqual(consumersLeft([one, two, older], { connector: null }), []);
});

test('provider_auth is read only in its one form', () => {
  assert.deepEqual(parseProviderAuth('CHAP u p'), { username: 'u', password: 'p' });
  assert.equal(parseProviderAuth(null), null);
  assert.equal(parseProviderAuth('CHAP u'), null);
  assert.equal(parseProviderAuth('NONE u p'), null);
});
