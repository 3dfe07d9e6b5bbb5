import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createSocketTransport,
  decodeAnswer,
  encodeRequest,
} from '../../../../../drivers/target/tgt/control-socket.ts';
import type { TgtRequest } from '../../../../../drivers/target/tgt/request.ts';
import { argumentsOf } from '../../../../../drivers/target/tgt/tgtadm.ts';
import { isFailure } from '../../../../../src/model/errors.ts';

const { captures } = JSON.parse(
  readFileSync(new URL('../../../../fixtures/tgt/requests.json', import.meta.url), 'utf8'),
) as { captures: { tgtadm: string[]; request: TgtRequest; hex: string }[] };

for (const { tgtadm, request, hex } of captures) {
  test(`sends the bytes that tgtadm sends: ${tgtadm.slice(0, 4).join(' ')}`, () => {
    assert.equal(encodeRequest(request, 'iscsi').toString('hex'), hex);
    if ('password' in (request.parameters ?? {})) {
      assert.throws(() => argumentsOf(request), /password/);
      assert.throws(
        () => argumentsOf(request),
        (error: Error) => !error.message.includes('secret1234'),
      );
    } else assert.deepEqual(argumentsOf(request), tgtadm);
  });
}

test('reads answers', () => {
  const answer = (code: number, text = '') => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(code, 0);
    header.writeUInt32LE(8 + Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  assert.deepEqual(decodeAnswer(answer(0)), { problem: null, text: '' });
  assert.deepEqual(decodeAnswer(answer(0, 'Target 1: é\n\0')), { problem: null, text: 'Target 1: é\n' });
  assert.deepEqual(decodeAnswer(answer(14)), { problem: 'this account already exists', text: '' });
  assert.deepEqual(decodeAnswer(answer(99)), { problem: 'error 99', text: '' });
});

test('an answer in pieces is put together; half an answer, none, and no daemon are failures', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-control-'));
  const path = join(directory, 'socket');
  let reply: (socket: Socket) => void = () => {};
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => reply(socket));
  });
  t.after(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });
  const ask = (timeoutMs = 5_000) => createSocketTransport(path, 'iscsi', timeoutMs)({ mode: 'target', op: 'show' });
  const unreachable = (pattern: RegExp) => (error: unknown) =>
    isFailure(error, 'ConnectionFailed') && pattern.test(error.message);

  await assert.rejects(ask(), unreachable(/no daemon listens there\. Start tgtd/));
  await new Promise<void>((resolve) => server.listen(path, resolve));

  const bytes = Buffer.concat([Buffer.from([0, 0, 0, 0, 12, 0, 0, 0]), Buffer.from('abcd')]);
  reply = (socket) => {
    let sent = 0;
    const next = () => {
      if (sent === bytes.length) return;
      socket.write(bytes.subarray(sent, sent + 1));
      sent += 1;
      setImmediate(next);
    };
    next();
  };
  assert.deepEqual(await ask(), { problem: null, text: 'abcd' });

  reply = (socket) => socket.end(bytes.subarray(0, 10));
  await assert.rejects(ask(), unreachable(/without a whole answer/));
  reply = (socket) => socket.end(Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]));
  await assert.rejects(ask(), unreachable(/claims 4294967295 bytes/));
  let stalled: Socket | undefined;
  reply = (socket) => {
    stalled = socket;
  };
  await assert.rejects(ask(100), unreachable(/does not answer in time/));
  stalled?.destroy();
});
