import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPassing, formatReply } from '../../../../src/cmd/rpc/format.ts';

const at = new Date('2026-11-20T12:00:00Z');
const way = { exchange: 'openstack', key: 'cinder-volume.node@lvm.node' };
const request = {
  ...{
    method: 'initialize_connection',
    version: '3.0',
    namespace: null,
    uniqueId: 'u1',
    operationId: null,
    reply: null,
  },
  args: { volume: { provider_auth: 'CHAP user geheim1' }, connector: { auth_password: 'geheim2', ip: '192.0.2.1' } },
  context: { request_id: 'req-1', user_id: 'u', project_id: 'p', auth_token: 'geheim3' },
};

test('a line says what was asked of whom by whom, and no secret', () => {
  const line = formatPassing({ ...way, kind: 'request', request }, at);
  const { args, ...said } = JSON.parse(line);
  assert.deepEqual(said, {
    ...{ at: '2026-11-20T12:00:00.000Z', to: 'cinder-volume.node@lvm.node', kind: 'cast', version: '3.0', id: 'u1' },
    ...{ method: 'initialize_connection', request_id: 'req-1', user: 'u', project: 'p' },
  });
  assert.equal(args.connector.ip, '192.0.2.1');
  assert.doesNotMatch(line, /geheim/);
});

test('calls, fan-outs and what cannot be read are told apart', () => {
  const reply = { messageId: 'm', queue: 'q', monitorSeconds: null };
  const kindOf = (line: string) => JSON.parse(line).kind;
  assert.equal(kindOf(formatPassing({ ...way, kind: 'request', request: { ...request, reply } }, at)), 'call');
  assert.equal(kindOf(formatPassing({ ...way, key: null, kind: 'request', request }, at)), 'fanout');
  const malformed = { reason: 'it is no JSON', uniqueId: null, reply: null };
  assert.equal(JSON.parse(formatPassing({ ...way, kind: 'unreadable', malformed }, at)).unreadable, 'it is no JSON');
});

test('an answer is masked unless its secrets are asked for', () => {
  const result = { data: { auth_password: 'geheim', target_lun: 1 } };
  assert.doesNotMatch(formatReply(result, { showSecrets: false }), /geheim/);
  assert.deepEqual(JSON.parse(formatReply(result, { showSecrets: true })), result);
  assert.equal(formatReply(undefined, { showSecrets: false }), 'null');
  assert.equal(formatReply(true, { showSecrets: false }), 'true');
});
