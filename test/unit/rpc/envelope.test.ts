import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  MAX_BYTES,
  MAX_DEPTH,
} from '../../../src/rpc/envelope.ts';

const directory = new URL('../../fixtures/cinder/captures/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, directory), 'utf8'));
const wrap = (message: unknown, version: unknown = '2.0') =>
  Buffer.from(JSON.stringify({ 'oslo.version': version, 'oslo.message': JSON.stringify(message) }));
const unwrap = (bytes: Buffer) => {
  const envelope = JSON.parse(bytes.toString());
  assert.equal(envelope['oslo.version'], '2.0');
  return JSON.parse(envelope['oslo.message']);
};

test('every captured request and fan-out survives decoding and encoding', () => {
  const names = readdirSync(directory).filter((name) => /^(rpc|fanout)\..*\.json$/.test(name));
  assert.ok(names.length > 40);
  for (const name of names) {
    const { example } = read(name);
    const decoded = decodeRequest(wrap(example.message, example['oslo.version']));
    assert.ok(decoded.ok, name);
    assert.equal(decoded.value.method, example.message.method);
    assert.equal(decoded.value.reply !== null, '_msg_id' in example.message, name);
    assert.deepEqual(unwrap(encodeRequest(decoded.value)), example.message, name);
  }
});

test('every captured reply survives too, signs of life among them', () => {
  const heartbeats = read('reply.call_monitor_heartbeats.json') as { message: unknown }[];
  const replies = readdirSync(directory)
    .filter((name) => name.startsWith('rpc.'))
    .flatMap((name) => {
      const { reply = [], error_examples: errors = [] } = read(name);
      return [...reply, ...errors.map((example: { reply: unknown }) => example.reply)];
    });
  assert.ok(replies.length > 20);
  for (const { message } of [...heartbeats, ...replies]) {
    const decoded = decodeReply(wrap(message));
    assert.ok(decoded.ok);
    assert.deepEqual(unwrap(encodeReply(decoded.value)), message);
  }
});

test('the monitor of a call is known, a call without one only waits', () => {
  const { example } = read('rpc.cinder-volume.get_capabilities.json');
  const decoded = decodeRequest(wrap(example.message));
  assert.ok(decoded.ok);
  assert.equal(decoded.value.reply?.monitorSeconds, 10);
  const waiting = decodeRequest(wrap({ ...example.message, _timeout: null }));
  assert.equal(waiting.ok && waiting.value.reply?.monitorSeconds, null);
});

test('what is no message is told with a reason, and with whom to answer where that can be read', () => {
  const good = { method: 'm', args: {}, version: '3.0', _unique_id: 'u', _msg_id: 'i', _reply_q: 'q', _timeout: null };
  const cases: readonly [Buffer, RegExp][] = [
    [Buffer.alloc(0), /envelope is no JSON/],
    [wrap(good).subarray(0, -5), /envelope is no JSON/],
    [Buffer.concat([wrap(good), Buffer.from([0xff])]), /utf-8/i],
    [Buffer.from('[]'), /no object/],
    [wrap(good, '3.0'), /oslo.version is not 2.0/],
    [Buffer.from('{"oslo.version":"2.0"}'), /no text/],
    [Buffer.from('{"oslo.version":"2.0","oslo.message":"{"}'), /oslo.message is no JSON/],
    [wrap([]), /no object/],
    [wrap({ ...good, method: 3 }), /method/],
    [wrap({ ...good, version: 'three' }), /version/],
    [wrap({ ...good, args: [1] }), /args/],
    [wrap({ ...good, _reply_q: 5 }), /queue/],
    [Buffer.alloc(MAX_BYTES + 1), /bytes/],
    [wrap(JSON.parse(`{"a":${'['.repeat(MAX_DEPTH)}${']'.repeat(MAX_DEPTH)}}`)), /deep/],
  ];
  for (const [bytes, reason] of cases) {
    const decoded = decodeRequest(bytes);
    assert.ok(!decoded.ok);
    assert.match(decoded.malformed.reason, reason);
  }
  const decoded = decodeRequest(wrap({ ...good, method: null }));
  assert.deepEqual(decoded, {
    ok: false,
    malformed: {
      reason: 'it names no method',
      uniqueId: 'u',
      reply: { messageId: 'i', queue: 'q', monitorSeconds: null },
    },
  });
});

test('a million brackets end in a reason as well', () => {
  const text = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
  const decoded = decodeRequest(Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': text })));
  assert.equal(decoded.ok, false);
});

test('no bytes make decoding throw, and a reason never quotes them', () => {
  const keys = fc.constantFrom('method', 'args', 'version', '_msg_id', '_reply_q', '_unique_id', 'ending', 'failure');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.json().map((text) => Buffer.from(text)),
    fc.dictionary(keys, fc.jsonValue()).map((message) => wrap(message)),
    fc
      .tuple(fc.dictionary(keys, fc.jsonValue()), fc.nat(400))
      .map(([message, length]) => wrap(message).subarray(0, length)),
  );
  fc.assert(
    fc.property(bytes, (buffer) => {
      for (const decode of [decodeRequest, decodeReply]) {
        const decoded = decode(buffer);
        if (!decoded.ok) assert.ok(decoded.malformed.reason.length < 120);
      }
    }),
  );
});

test('any request arrives as it was sent', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  const request = fc.record({
    method: fc.string({ minLength: 1 }),
    version: fc.constantFrom('3.0', '3.18'),
    namespace: fc.option(fc.string()),
    args: object,
    uniqueId: fc.option(fc.string()),
    operationId: fc.option(fc.uuid()),
    reply: fc.option(
      fc.record({
        messageId: fc.string(),
        queue: fc.string({ minLength: 1 }),
        monitorSeconds: fc.option(fc.integer({ min: 1 })),
      }),
    ),
    context: object,
  });
  fc.assert(
    fc.property(request, (value) => {
      assert.deepEqual(decodeRequest(encodeRequest(value)), { ok: true, value: plain(value) });
    }),
  );
});

/** JSON has no negative zero, and its objects have a prototype. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
