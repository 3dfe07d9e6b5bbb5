import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameUuid } from '../../../src/lib/name-uuid.ts';
import { isFromPeer } from '../../../src/model/operation.ts';

test('a name has one UUID, of version 5, which tells a record that a peer asked for', () => {
  const id = nameUuid('a');
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(nameUuid('a'), id);
  assert.notEqual(nameUuid('b'), id);
  assert.equal(isFromPeer({ id }), true);
  assert.equal(isFromPeer({ id: crypto.randomUUID() }), false);
});
