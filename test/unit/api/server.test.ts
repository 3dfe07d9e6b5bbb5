import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noauthStrategy, tokenStrategy } from '../../../src/api/auth.ts';
import { type ApiOptions, apiOptions } from '../../../src/api/options.ts';
import type { ApiServices } from '../../../src/api/route.ts';
import { createApiServer } from '../../../src/api/server.ts';
import { failure } from '../../../src/model/errors.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const defaults = Object.fromEntries(
  Object.entries(apiOptions).map(([name, { default: value }]) => [name, value]),
) as ApiOptions;

/** A server whose store fails with the given error at the first read of a volume, or has no volume at all. */
function setup({ options = {}, error }: { options?: Partial<ApiOptions>; error?: Error } = {}) {
  const log = recorderLog();
  const get = async () => {
    if (error !== undefined) throw error;
    return null;
  };
  const services = { store: { volumes: { get } }, options: { ...defaults, ...options }, log } as unknown as ApiServices;
  let now = 0;
  const server = createApiServer(services, { auth: tokenStrategy('s3cret'), now: () => now });
  return {
    server,
    log,
    pass: (ms: number) => {
      now += ms;
    },
    get: (url: string, headers: Record<string, string> = { 'x-auth-token': 's3cret' }) =>
      server.inject({ method: 'GET', url, headers }),
    post: (url: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
      server.inject({
        method: 'POST',
        url,
        payload,
        headers: { 'x-auth-token': 's3cret', 'content-type': 'application/json', ...headers },
      }),
  };
}

describe('discovery', () => {
  it('needs no credentials', async () => {
    const { get } = setup();
    for (const [url, status] of [
      ['/', 300],
      ['/v3', 200],
      ['/v3/', 200],
    ] as const) {
      const reply = await get(url, {});
      assert.equal(reply.statusCode, status, url);
      const [version] = reply.json().versions;
      assert.deepEqual([version.id, version.version, version.min_version], ['v3.0', '3.70', '3.0']);
      assert.equal(version.links.find(({ rel }: { rel: string }) => rel === 'self').href, 'http://localhost:80/v3/');
      assert.equal(reply.headers['openstack-api-version'], 'volume 3.0');
      assert.equal((await get(url, { 'openstack-api-version': 'volume 3.71' })).statusCode, 406, url);
    }
  });
});

describe('credentials', () => {
  it('are asked for everywhere else, before anything is told', async () => {
    const { get } = setup();
    for (const url of ['/v3/p1/volumes/x', '/v3/volumes/x', '/v3/p1/nothing', '/nothing', '/v3/openapi.json']) {
      for (const headers of [{}, { 'x-auth-token': '' }, { 'x-auth-token': 'wrong' }] as Record<string, string>[]) {
        const reply = await get(url, headers);
        assert.equal(reply.statusCode, 401, url);
        assert.equal(reply.json().error.code, 401);
        assert.equal(reply.json().error.title, 'Unauthorized');
      }
    }
  });

  it('are never logged', async () => {
    const { get, log } = setup();
    await get('/v3/p1/volumes/x?token=abc');
    await get('/v3/p1/volumes/x', { 'x-auth-token': 'wr0ng' });
    assert.doesNotMatch(log.text(), /s3cret|wr0ng|abc/);
  });

  it('may fail so often, then the address waits; who was let in before still is', async () => {
    const { get, pass } = setup();
    await get('/v3/p1/volumes/x');
    for (let i = 0; i < 20; i++) assert.equal((await get('/v3/p1/x', { 'x-auth-token': `no${i}` })).statusCode, 401);
    const reply = await get('/v3/p1/x', { 'x-auth-token': 'no' });
    assert.equal(reply.statusCode, 429);
    assert.equal(reply.headers['retry-after'], '60');
    assert.equal(reply.json().overLimit.code, 429);
    assert.equal((await get('/v3/p1/volumes/x')).statusCode, 404);
    pass(60_000);
    assert.equal((await get('/v3/p1/x', { 'x-auth-token': 'no' })).statusCode, 401);
  });
});

describe('the URL', () => {
  it('may leave the project out', async () => {
    const { get } = setup();
    const reply = await get('/v3/volumes/17');
    assert.deepEqual(reply.json(), { itemNotFound: { code: 404, message: 'Volume 17 could not be found.' } });
  });

  it('names a project as projects are named', async () => {
    const { get } = setup();
    for (const project of ['a_b', 'a%20b', 'a.b', 'x'.repeat(256), '%00']) {
      assert.equal((await get(`/v3/${project}/volumes/17`)).statusCode, 400, project);
    }
    assert.equal((await get(`/v3/${'x'.repeat(255)}/volumes/17`)).statusCode, 404);
  });

  it('that is unknown is 404, a known one with another method 405, one that cannot be read 400', async () => {
    const { get, server } = setup();
    assert.equal((await get('/v3/p1/nothing')).json().itemNotFound.code, 404);
    const reply = await server.inject({
      method: 'DELETE',
      url: '/v3/p1/volumes',
      headers: { 'x-auth-token': 's3cret' },
    });
    assert.equal(reply.statusCode, 405);
    assert.equal(reply.json().badMethod.code, 405);
    assert.match(String(reply.headers.allow), /GET/);
    assert.equal((await get('/v3/p1/volumes/%ff')).statusCode, 400);
    assert.equal((await get('/v3/p1/volumes/a%00b')).statusCode, 400);
  });
});

describe('the microversion', () => {
  it('is said in the answer, in faults too', async () => {
    const { get } = setup();
    const asked = await get('/v3/p1/volumes/x', { 'x-auth-token': 's3cret', 'openstack-api-version': 'volume 3.27' });
    assert.equal(asked.headers['openstack-api-version'], 'volume 3.27');
    assert.equal(asked.headers.vary, 'OpenStack-API-Version');
    assert.equal((await get('/v3/p1/volumes/x')).headers['openstack-api-version'], 'volume 3.0');
  });

  it('that is not served is 406, one that is none 400', async () => {
    const { get } = setup();
    const at = (version: string) =>
      get('/v3/p1/volumes/x', { 'x-auth-token': 's3cret', 'openstack-api-version': `volume ${version}` });
    assert.equal((await at('3.71')).statusCode, 406);
    assert.equal((await at('3.71')).headers['openstack-api-version'], 'volume 3.71');
    assert.match((await at('3.71')).json().computeFault.message, /3\.71.*3\.0.*3\.70/);
    assert.equal((await at('three')).json().badRequest.code, 400);
  });

  it('hides what came later', async () => {
    const { get } = setup();
    const reply = await get('/v3/p1/volumes/summary', {
      'x-auth-token': 's3cret',
      'openstack-api-version': 'volume 3.11',
    });
    assert.equal(reply.statusCode, 404);
    assert.match(reply.json().itemNotFound.message, /3\.11/);
  });
});

describe('the body', () => {
  it('must be JSON, in UTF-8, and not too large', async () => {
    const { post } = setup({ options: { osapi_max_request_body_size: 1024 } });
    const fault = async (...args: Parameters<typeof post>) => {
      const reply = await post(...args);
      return [reply.statusCode, Object.keys(reply.json())[0]];
    };
    assert.deepEqual(await fault('/v3/p1/volumes', '{"volume": '), [400, 'badRequest']);
    assert.deepEqual(await fault('/v3/p1/volumes', Buffer.from([0x22, 0xff, 0x22])), [400, 'badRequest']);
    assert.deepEqual(await fault('/v3/p1/volumes', ''), [400, 'badRequest']);
    assert.deepEqual(await fault('/v3/p1/volumes', '[]'), [400, 'badRequest']);
    assert.deepEqual(await fault('/v3/p1/volumes', `{"a": "${'x'.repeat(1024)}"}`), [413, 'overLimit']);
    assert.deepEqual(await fault('/v3/p1/volumes', 'a=b', { 'content-type': 'text/plain' }), [415, 'badMediaType']);
  });

  it('names every fault at once', async () => {
    const { post } = setup();
    const reply = await post('/v3/p1/volumes', JSON.stringify({ volume: { size: 0, name: 'x'.repeat(300) } }));
    assert.match(reply.json().badRequest.message, /volume\.size.*volume\.name|volume\.name.*volume\.size/);
  });
});

describe('a failure inside', () => {
  it('is told only where it is meant to be told', async () => {
    const inside = setup({ error: new Error('secret path /x') });
    const reply = await inside.get('/v3/p1/volumes/x');
    assert.equal(reply.statusCode, 500);
    assert.doesNotMatch(reply.body, /secret/);
    assert.match(inside.log.text(), /request failed/);
    const known = setup({ error: failure('ConnectionFailed', { what: 'Database', reason: 'it is down' }) });
    assert.equal((await known.get('/v3/p1/volumes/x')).statusCode, 503);
    assert.match((await known.get('/v3/p1/volumes/x')).json().serviceUnavailable.message, /it is down/);
  });
});

describe('the request id', () => {
  it("is in both headers and in the log, with the caller's where it is well-formed", async () => {
    const { get, log } = setup();
    const global = 'req-12345678-1234-1234-1234-123456789abc';
    const reply = await get('/v3/p1/volumes/x', { 'x-auth-token': 's3cret', 'x-openstack-request-id': global });
    const id = reply.headers['x-openstack-request-id'];
    assert.match(String(id), /^req-[0-9a-f-]{36}$/);
    assert.equal(reply.headers['x-compute-request-id'], id);
    await get('/v3/p1/volumes/x', { 'x-auth-token': 's3cret', 'x-openstack-request-id': 'req-evil\\n' });
    const [first, second] = log.records.map(({ fields }) => fields);
    assert.deepEqual(
      [first?.requestId, first?.globalRequestId, first?.method, first?.path, first?.status],
      [id, global, 'GET', '/v3/p1/volumes/x', 404],
    );
    assert.equal(typeof first?.ms, 'number');
    assert.equal(second?.globalRequestId, undefined);
  });
});

describe('noauth', () => {
  it('is refused where others can reach it', () => {
    const services = (listen: string) =>
      ({ options: { ...defaults, osapi_volume_listen: listen }, log: recorderLog() }) as unknown as ApiServices;
    assert.throws(() => createApiServer(services('0.0.0.0'), { auth: noauthStrategy() }), /osapi_volume_listen/);
    assert.throws(() => createApiServer(services('192.0.2.1'), { auth: noauthStrategy() }), /auth_strategy/);
    createApiServer(services('::1'), { auth: noauthStrategy() });
  });

  it("answers nobody from elsewhere, and the token's project only in its own URL", async () => {
    const store = { volumes: { get: async () => null } };
    const services = { store, options: defaults, log: recorderLog() } as unknown as ApiServices;
    const server = createApiServer(services, { auth: noauthStrategy() });
    const from = async (remoteAddress: string, project: string) => {
      const headers = { 'x-auth-token': 'bob:p1' };
      return (await server.inject({ method: 'GET', url: `/v3/${project}/volumes/x`, headers, remoteAddress }))
        .statusCode;
    };
    assert.equal(await from('127.0.0.1', 'p1'), 404);
    assert.equal(await from('::ffff:127.0.0.1', 'p1'), 404);
    assert.equal(await from('127.0.0.1', 'p2'), 400);
    assert.equal(await from('192.0.2.7', 'p1'), 403);
  });
});
