import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../../src/model/errors.ts';
import { describeHosts, parseTransportUrl } from '../../../src/rpc/transport-url.ts';

const hostsOf = (url: string) => {
  const parsed = parseTransportUrl(url);
  assert.ok(parsed.kind === 'rabbit');
  return parsed;
};

test('one host, several, and those that share credentials', () => {
  assert.deepEqual(hostsOf('rabbit://u:p@a:5673,b,c:d@c:1/cinder?ssl=1&heartbeat_timeout_threshold=5'), {
    kind: 'rabbit',
    hosts: [
      { host: 'a', port: 5673, user: 'u', password: 'p' },
      { host: 'b', port: null, user: 'u', password: 'p' },
      { host: 'c', port: 1, user: 'c', password: 'd' },
    ],
    vhost: 'cinder',
    query: { ssl: '1', heartbeat_timeout_threshold: '5' },
  });
  assert.deepEqual(hostsOf('rabbit://').hosts, [{ host: 'localhost', port: null, user: 'guest', password: 'guest' }]);
});

test('virtual hosts', () => {
  for (const [url, vhost] of [
    ['rabbit://h', '/'],
    ['rabbit://h/', '/'],
    ['rabbit://h//', '/'],
    ['rabbit://h/%2F', '/'],
    ['rabbit://h/a%2Fb', 'a/b'],
  ] as const) {
    assert.equal(hostsOf(url).vhost, vhost, url);
  }
});

test('IPv6 and characters that are escaped', () => {
  assert.deepEqual(hostsOf('rabbit://me%40x:p%2Fq%3A%25@[2001:db8::1]:5672,[::1]/').hosts, [
    { host: '2001:db8::1', port: 5672, user: 'me@x', password: 'p/q:%' },
    { host: '::1', port: null, user: 'me@x', password: 'p/q:%' },
  ]);
  assert.equal(describeHosts(hostsOf('rabbit://u:secret@[::1],b:1/').hosts), '[::1]:5672, b:1');
});

test('memory', () => {
  for (const url of ['memory:', 'memory://', 'memory:///'])
    assert.deepEqual(parseTransportUrl(url), { kind: 'memory' });
});

test('what cannot be read is refused without its password', () => {
  for (const url of [
    '',
    'rabbit',
    'kafka://u:secret@h/',
    'rabbit://u:secret@h:70000/',
    'rabbit://u:secret@h:x/',
    'rabbit://u:secret@::1/',
    'rabbit://u:secret@h:0/',
  ]) {
    assert.throws(
      () => parseTransportUrl(url),
      (error) => isFailure(error, 'InvalidConfigurationValue') && !error.message.includes('secret'),
      url,
    );
  }
});

test('any user, password and virtual host come through their escaping', () => {
  const text = fc.string({ minLength: 1 }).filter((value) => value.trim() === value);
  fc.assert(
    fc.property(text, text, text, (user, password, vhost) => {
      const url = `rabbit://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/${encodeURIComponent(vhost)}`;
      const parsed = hostsOf(url);
      assert.deepEqual([parsed.hosts[0]?.user, parsed.hosts[0]?.password, parsed.vhost], [user, password, vhost]);
    }),
  );
});
