import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contextFromWire, contextToWire } from '../../../src/rpc/wire-context.ts';

const file = new URL('../../fixtures/cinder/captures/rpc.cinder-volume.get_capabilities.json', import.meta.url);
const { message } = JSON.parse(readFileSync(file, 'utf8')).example as { message: Record<string, unknown> };
const captured = Object.fromEntries(
  Object.entries(message)
    .filter(([key]) => key.startsWith('_context_'))
    .map(([key, value]) => [key.slice('_context_'.length), value]),
);

test("a peer's context is understood, and ours is what the peer would have sent", () => {
  const context = contextFromWire(captured, 'req-none');
  assert.deepEqual(context, {
    requestId: 'req-37fdea5f-3710-46d7-a3eb-9cbaf5c3849e',
    userId: 'admin',
    projectId: '0123456789abcdef0123456789abcdef',
    isAdmin: true,
    roles: ['admin'],
  });
  const ours = contextToWire(context, new Date('2026-11-20T18:25:00.829Z'));
  assert.deepEqual(Object.keys(ours), Object.keys(captured));
  assert.deepEqual({ ...ours, timestamp: captured.timestamp }, captured);
  assert.equal(ours.timestamp, '2026-11-20T18:25:00.829000');
});

test('a context of the wrong types grants nothing', () => {
  const wire = { user_id: 5, project_id: [], is_admin: 'true', roles: ['member', 7], request_id: null };
  assert.deepEqual(contextFromWire(wire, 'req-none'), {
    requestId: 'req-none',
    userId: null,
    projectId: null,
    isAdmin: false,
    roles: ['member'],
  });
});
