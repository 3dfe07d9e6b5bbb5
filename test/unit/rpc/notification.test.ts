import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeNotification } from '../../../src/rpc/notification.ts';
import { contextFromWire } from '../../../src/rpc/wire-context.ts';

const file = new URL('../../fixtures/cinder/captures/notify.volume.create.end.json', import.meta.url);
const { message: captured } = JSON.parse(readFileSync(file, 'utf8')).example as { message: Record<string, unknown> };
const context = contextFromWire(
  Object.fromEntries(
    Object.entries(captured).flatMap(([key, value]) =>
      key.startsWith('_context_') ? [[key.slice('_context_'.length), value]] : [],
    ),
  ),
  'req-none',
);
const notification = {
  id: String(captured.message_id),
  publisherId: String(captured.publisher_id),
  eventType: String(captured.event_type),
  priority: 'info' as const,
  payload: captured.payload as Record<string, unknown>,
  context,
  at: new Date(`${String(captured.timestamp).slice(0, -3).replace(' ', 'T')}Z`),
};

test('a notification is, but for times and ids, what a peer would have sent', () => {
  const { 'oslo.version': version, 'oslo.message': text } = JSON.parse(
    String(encodeNotification(notification, 'notifications', '2.0')),
  );
  assert.equal(version, '2.0');
  const ours = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(Object.keys(ours), Object.keys(captured));
  const { timestamp, _unique_id: uniqueId, _context_timestamp: at, ...rest } = ours;
  const { timestamp: theirTime, _unique_id: _, _context_timestamp: __, ...theirs } = captured;
  assert.deepEqual(rest, theirs);
  assert.equal(String(timestamp).slice(0, -3), String(theirTime).slice(0, -3));
  assert.match(String(uniqueId), /^[0-9a-f]{32}$/);
  assert.equal(typeof at, 'string');
});

test('format 1.0 is the message without its envelope', () => {
  const message = JSON.parse(String(encodeNotification(notification, 'notifications', '1.0')));
  assert.deepEqual(Object.keys(message), Object.keys(captured));
});

test('no token and no catalogue goes along, roles and domains do', () => {
  const carried = { auth_token: 'token-1234', service_catalog: [{ secret: 'catalogue' }], user_domain: 'default' };
  const text = String(
    encodeNotification({ ...notification, context: { ...context, carried } }, 'notifications', '1.0'),
  );
  assert.doesNotMatch(text, /token-1234|catalogue/);
  const message = JSON.parse(text);
  assert.equal(message._context_user_domain, 'default');
  assert.equal(message._context_auth_token, null);
  assert.deepEqual(message._context_service_catalog, []);
});
