import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactFields } from '../../../src/log/redact.ts';
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

test('what else a sender gives is passed on, and never shown in a log', () => {
  const catalog = [{ type: 'compute', endpoints: [{ publicURL: 'http://compute' }] }];
  const wire = {
    ...captured,
    auth_token: 'gAAAA-secret',
    project_name: 'demo',
    user_domain: 'd1',
    service_catalog: catalog,
  };
  const context = contextFromWire(wire, 'req-none');
  const passedOn = contextToWire(context, new Date());
  assert.deepEqual({ ...passedOn, timestamp: captured.timestamp }, wire);
  assert.equal(JSON.stringify(redactFields({ context })).includes('gAAAA-secret'), false);
});

test('whatever is carried, it does not change who asks', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...Object.keys(captured)), fc.jsonValue()), (carried) => {
      const { request_id, user_id, project_id, is_admin, roles } = contextToWire(
        { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: false, roles: ['member'], carried },
        new Date(),
      );
      assert.deepEqual([request_id, user_id, project_id, is_admin, roles], ['req-1', 'u', 'p', false, ['member']]);
    }),
  );
});
