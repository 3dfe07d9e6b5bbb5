import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RequestContext, recordedContext } from '../../../src/model/context.ts';
import { contextOf } from '../../../src/model/operation.ts';

const context: RequestContext = {
  requestId: 'req-1',
  userId: 'u',
  projectId: 'p',
  isAdmin: true,
  roles: ['admin', 'member'],
  carried: {
    auth_token: 'token-of-the-user',
    service_catalog: [{ endpoints: [{ publicURL: 'http://user:word@host' }] }],
    user_domain: 'default',
    project_domain: 'default',
    global_request_id: 'req-2',
    something_new: 'unknown here',
  },
};

test('a record keeps roles and domains of a context, no token and no catalogue', () => {
  assert.deepEqual(recordedContext(context), {
    isAdmin: true,
    roles: ['admin', 'member'],
    carried: { user_domain: 'default', project_domain: 'default', global_request_id: 'req-2' },
  });
  assert.deepEqual(recordedContext({ ...context, carried: { auth_token: 'x' } }), {
    isAdmin: true,
    roles: ['admin', 'member'],
  });
});

test('a record gives the context back; one of an earlier release that of nobody in particular', () => {
  const who = { requestId: 'req-1', userId: 'u', projectId: 'p' };
  const { carried, ...rest } = contextOf({ ...who, context: recordedContext(context) });
  assert.deepEqual(rest, { ...who, isAdmin: true, roles: ['admin', 'member'] });
  assert.equal(carried?.user_domain, 'default');
  assert.deepEqual(contextOf({ ...who, context: null }), { ...who, isAdmin: false, roles: [] });
});
