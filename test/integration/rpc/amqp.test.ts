/** The transport on a real RabbitMQ: its contract, and what is its own. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { connect } from 'amqplib';
import { sleep } from '../../../src/lib/timers.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { decodeReply, encodeRequest } from '../../../src/rpc/envelope.ts';
import type { RpcMessage, Transport } from '../../../src/rpc/transport.ts';
import { transportSuite } from '../../suites/transport.ts';
import { openTestTransport, type TestTransport } from '../../support/amqp.ts';
import { makeTestCertificate, type TestCertificate } from '../../support/certificate.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const skip = missingRabbitmq() ?? false;
const context = { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: true, roles: ['admin'] };
const message = (args: Record<string, unknown> = {}): RpcMessage => ({ method: 'm', version: '3.0', args, context });
const durable = { rabbit: { amqp_durable_queues: true }, controlExchange: 'durable' };

describe('amqp', { skip, timeout: 240_000 }, () => {
  let directory: string;
  let certificate: TestCertificate;
  let broker: TestRabbitmq;
  const opened: { close(): Promise<void> }[] = [];
  const open = async (url: string, given?: TestTransport): Promise<Transport> => {
    const transport = await openTestTransport(url, given);
    opened.push(transport);
    return transport;
  };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ashlar-tls-'));
    certificate = await makeTestCertificate(directory);
    broker = await startTestRabbitmq({ tls: certificate });
  });
  afterEach(async () => {
    // The way to a broker is closed after the transports that use it.
    for (const each of opened.splice(0).reverse()) await each.close();
  });
  after(async () => {
    await broker?.close();
    await rm(directory, { recursive: true, force: true });
  });

  transportSuite('amqp', () => openTestTransport(broker.url));
  transportSuite('amqp, quorum queues', () =>
    openTestTransport(broker.url, { rabbit: { rabbit_quorum_queue: true }, controlExchange: 'quorum' }),
  );

  test('messages that cannot be read are answered where that can be, and never come again', async () => {
    const topic = randomUUID();
    const log = recorderLog();
    const transport = await open(broker.url, { log });
    await transport.listen({ topic, server: 's' }, async ({ args }) => args.n);
    const model = await connect(broker.url.replace('rabbit', 'amqp'));
    const channel = await model.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const replies: string[] = [];
    await channel.consume(queue, (got) => replies.push(String(got?.content)), { noAck: true });
    const good = { method: 'm', version: '3.0', args: {}, namespace: null, operationId: null, context: {} };
    const answerable = encodeRequest({
      ...good,
      method: '',
      uniqueId: 'bad-1',
      reply: { messageId: 'call-1', queue, monitorSeconds: null },
    });
    const bad = [
      Buffer.alloc(0),
      Buffer.from('[]'),
      Buffer.from('{"oslo.version":"2.0"'),
      Buffer.alloc(17 << 20),
      answerable,
    ];
    for (let round = 0; round < 40; round += 1) {
      for (const content of round === 0 ? bad : bad.filter(({ length }) => length < 1000)) {
        channel.publish('openstack', topic, content);
      }
    }
    await channel.waitForConfirms();
    for (let n = 0; n < 5; n += 1) {
      assert.equal(await transport.call({ topic }, message({ n }), { timeoutMs: 20_000 }), n);
    }
    while (replies.length < 40) await sleep(20);
    const reply = decodeReply(Buffer.from(replies[0]!));
    assert.ok(reply.ok && reply.value.messageId === 'call-1');
    assert.match(reply.value.failure ?? '', /names no method/);
    assert.equal((await channel.checkQueue(topic)).messageCount, 0);
    assert.ok(log.records.some(({ fields }) => fields.message === 'bad-1'));
    await model.close();
  });

  test('no more handlers run at a time than the option says', async () => {
    const topic = randomUUID();
    const transport = await open(broker.url, { concurrency: 3 });
    let [running, most] = [0, 0];
    await transport.listen({ topic, server: 's' }, async () => {
      most = Math.max(most, ++running);
      await sleep(10);
      running -= 1;
    });
    const calls = Array.from({ length: 20 }, (_, n) =>
      transport.call(n % 2 === 0 ? { topic } : { topic, server: 's' }, message(), { timeoutMs: 20_000 }),
    );
    await Promise.all(calls);
    assert.equal(most, 3);
  });

  test('a queue that exists with other properties is a failure that says what to do', async () => {
    const topic = randomUUID();
    await (await open(broker.url)).listen({ topic, server: 's' }, async () => null);
    const other = await open(broker.url, { ...durable, controlExchange: 'other' });
    await assert.rejects(
      other.listen({ topic, server: 's' }, async () => null),
      (error) => isFailure(error, 'ConnectionFailed') && /amqp_durable_queues/.test(error.message),
    );
  });

  test('TLS: only with an authority that is trusted', async () => {
    const url = broker.url.replace(String(broker.port), String(broker.tlsPort));
    const trusted = await open(url, { rabbit: { ssl: true, ssl_ca_file: certificate.authority } });
    const topic = randomUUID();
    await trusted.listen({ topic, server: 's' }, async () => 'over TLS');
    assert.equal(await trusted.call({ topic }, message(), { timeoutMs: 20_000 }), 'over TLS');
    const log = recorderLog();
    const distrustful = await open(`${url}?ssl=1`, { log });
    await assert.rejects(distrustful.call({ topic }, message(), { timeoutMs: 200 }), (error) =>
      isFailure(error, 'RpcTimeout'),
    );
    assert.match(log.text(), /certificate/);
  });

  test('the next of several brokers is used where one is not there; no line holds a password', async () => {
    const log = recorderLog();
    const wrong = broker.url.replace('guest:guest', 'guest:se-cret');
    const url = `rabbit://guest:se-cret@127.0.0.1:1,guest:guest@127.0.0.1:${broker.port}/`;
    const transport = await open(url, { log });
    const topic = randomUUID();
    await transport.listen({ topic, server: 's' }, async () => 1);
    assert.equal(await transport.call({ topic }, message(), { timeoutMs: 20_000 }), 1);
    await open(wrong, { log });
    assert.match(log.text(), /ECONNREFUSED/);
    assert.match(log.text(), /ACCESS_REFUSED/);
    assert.doesNotMatch(log.text(), /se-cret/);
  });

  test('a connection that is cut comes back, and work that was under way is not done twice', async () => {
    const proxy = await startTcpProxy(broker.port);
    opened.push(proxy);
    const server = await open(broker.url.replace(String(broker.port), String(proxy.port)));
    const client = await open(broker.url);
    const topic = randomUUID();
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let runs = 0;
    await server.listen({ topic, server: 's' }, async ({ args }) => {
      runs += 1;
      begun.resolve();
      if (args.n === 1) await release.promise;
      return args.n;
    });
    const first = client.call({ topic }, message({ n: 1 }), { timeoutMs: 20_000 });
    await begun.promise;
    proxy.cut();
    assert.equal(await client.call({ topic }, message({ n: 2 }), { timeoutMs: 20_000 }), 2);
    release.resolve();
    assert.equal(await first, 1);
    assert.equal(runs, 2);
  });
});
