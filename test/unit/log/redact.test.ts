import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { REDACTED, redactFields, redactText } from '../../../src/log/redact.ts';

/** Letters that no pattern stops at: what generated secrets are made of, and more. */
const secret = fc.stringMatching(/^[A-Za-z0-9+._~!*-]{8,24}$/).map((text) => `Zq7${text}`);

describe('redactText', () => {
  it('takes the secret out of every form in which it is written', () => {
    const forms: readonly ((secret: string) => string)[] = [
      (text) => `provider_auth is CHAP user-1 ${text} now`,
      (text) => `iscsi://user%${text}@127.0.0.1:3260/iqn.2010-10.org.openstack:volume-1/1`,
      (text) => `postgres://ashlar:${text}@db/cinder?host=a`,
      (text) => `amqp://guest:${text}@a:5672,guest:x@b:5672//`,
      (text) => `incominguser name ${text}`,
      (text) => `outgoinguser name ${text}`,
      (text) => `X-Auth-Token: ${text}`,
      (text) => `authorization: Bearer ${text}`,
      (text) => `{"auth_password":"${text}","a":1}`,
      (text) => JSON.stringify(JSON.stringify({ adminPass: text })),
      (text) => `password = '${text} and more'`,
      (text) => `tgtadm --lld iscsi --user u --password ${text} --op new`,
      (text) => `--auth-token=${text}`,
      (text) => `cookie: session=${text}`,
      (text) => `rabbit_password=${text}&x=1`,
    ];
    fc.assert(
      fc.property(secret, fc.constantFrom(...forms), (text, form) => {
        const line = redactText(form(text));
        assert.ok(!line.includes(text), line);
        assert.ok(line.includes(REDACTED), line);
      }),
    );
  });

  it('takes out a password with signs in it, up to the last @ of the address', () => {
    assert.equal(redactText('iscsi://user%p@ss:w%rd@10.0.0.1/iqn/1'), `iscsi://user%${REDACTED}@10.0.0.1/iqn/1`);
  });

  it('leaves what holds no secret as it is', () => {
    const harmless = [
      'volume volume-1 was created on node@lvm#pool',
      'GET http://127.0.0.1:8776/v3/p/volumes?host=node@lvm answered 200',
      'exported as 10.0.0.1:3260,1 iqn.2010-10.org.openstack:volume-1 1',
      'iscsi://10.0.0.1:3260/iqn/1',
      'the token is in a file',
      'password authentication failed for user "ashlar"',
    ];
    for (const text of harmless) assert.equal(redactText(text), text);
  });

  it('keeps every word around a secret', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word), secret, fc.array(word), (before, text, after) => {
        const around = (middle: string) => [...before, middle, ...after].join(' ');
        assert.equal(redactText(around(`auth_password=${text}`)), around(`auth_password=${REDACTED}`));
      }),
    );
  });

  it('reads a long line in a moment', () => {
    const line = `${'password'.repeat(20_000)}${'chap '.repeat(20_000)}${'a://'.repeat(20_000)}`;
    assert.equal(typeof redactText(line), 'string');
  });
});

describe('redactFields', () => {
  it('replaces values under telling keys, at any depth and in any spelling', () => {
    const keys = ['auth_password', 'provider_auth', 'providerAuth', 'password', 'X-Auth-Token', 'chap', 'chapSecret'];
    const more = [
      'token',
      'accessToken',
      'transport_secret',
      'authorization',
      'Set-Cookie',
      'credentials',
      'adminPass',
    ];
    const wrap = fc.constantFrom<(value: object) => object>(
      (value) => value,
      (value) => ({ connectionInfo: { data: value } }),
      (value) => ({ list: [1, [value]] }),
      (value) => ({ map: new Map([['k', value]]) }),
      (value) => ({ error: Object.assign(new Error('x', { cause: Object.assign(new Error('y'), value) }), { a: 1 }) }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...keys, ...more), secret, wrap, (key, text, around) => {
        for (const value of [text, { username: 'u', inner: text }, [text]]) {
          const logged = JSON.stringify(redactFields(around({ [key]: value })));
          assert.ok(!logged.includes(text), logged);
        }
      }),
    );
  });

  it('keeps what only speaks of a secret', () => {
    const fields = {
      tokenFile: '/var/lib/token',
      auth_username: 'u',
      auth_method: 'CHAP',
      use_chap_auth: true,
      encryptionKeyId: 'k',
      hasToken: false,
      password: null,
    };
    assert.deepEqual(redactFields(fields), fields);
  });

  it('redacts the text of fields, messages and stacks of errors with their causes', () => {
    const error = new Error('CHAP u pass-1234', { cause: new Error('iscsi://u%pass-1234@h/') });
    const logged = redactFields({ err: Object.assign(error, { code: 'X' }), line: 'CHAP u pass-1234' });
    assert.ok(!JSON.stringify(logged).includes('pass-1234'));
    const err = logged.err as Record<string, Record<string, unknown>>;
    assert.equal(err.code, 'X');
    assert.match(String(err.cause!.message), /^iscsi:\/\/u%/);
  });

  it('copes with what cannot be written as JSON', () => {
    const circle: Record<string, unknown> = { a: 1n, f: () => 1, d: new Date(Number.NaN), b: Buffer.from('secret!') };
    circle.self = circle;
    Object.defineProperty(circle, 'bad', { enumerable: true, get: () => assert.fail('read') });
    let deep: object = { password: 'deep' };
    for (let level = 0; level < 50; level++) deep = { deep };
    const logged = JSON.stringify(
      redactFields({ circle, deep, long: 'x'.repeat(100_000), many: Array(10_000).fill(1) }),
    );
    assert.match(logged, /"self":"\[circular\]"/);
    assert.match(logged, /"bad":"\[cannot be read\]"/);
    assert.match(logged, /"b":"\[7 bytes\]"/);
    assert.match(logged, /\[too deep\]/);
    assert.ok(logged.length < 25_000);
  });

  it('changes nothing of what it was given, and never throws', () => {
    fc.assert(
      fc.property(fc.object({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (fields) => {
        const before = structuredClone(fields);
        JSON.stringify(redactFields(fields));
        assert.deepEqual(fields, before);
      }),
    );
  });
});
