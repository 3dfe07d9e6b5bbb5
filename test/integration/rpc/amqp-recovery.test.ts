/** Brokers that stop, crash and freeze under the transport. One of the long lanes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { sleep } from '../../../src/lib/timers.ts';
import { isFailure } from '../../../src/model/errors.ts';
import type { RpcMessage, Transport } from '../../../src/rpc/transport.ts';
import { openTestTransport, type TestTransport } from '../../support/amqp.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const skip = missingRabbitmq() ?? false;
const context = { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: true, roles: ['admin'] };
const message = (args: Record<string, unknown> = {}): RpcMessage => ({ method: 'm', version: '3.0', args, context });
const durable = { rabbit: { amqp_durable_queues: true }, controlExchange: 'durable' };

describe('amqp and a broker in trouble', { skip, timeout: 240_000 }, () => {
  let broker: TestRabbitmq;
  const opened: { close(): Promise<void> }[] = [];
  const open = async (url: string, given?: TestTransport): Promise<Transport> => {
    const transport = await openTestTransport(url, given);
    opened.push(transport);
    return transport;
  };
  before(async () => {
    broker = await startTestRabbitmq();
  });
  afterEach(async () => {
    // The way to a broker is closed after the transports that use it.
    for (const each of opened.splice(0).reverse()) await each.close();
  });
  after(() => broker?.close());

  test('a way to the broker that freezes is given up, and work that was under way is not done twice', async () => {
    const proxy = await startTcpProxy(broker.port);
    opened.push(proxy);
    const url = broker.url.replace(String(broker.port), String(proxy.port));
    const log = recorderLog();
    const server = await open(url, { ...durable, rabbit: { ...durable.rabbit, heartbeat_timeout_threshold: 3 }, log });
    const client = await open(broker.url, durable);
    const topic = randomUUID();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: release, resolve: end } = Promise.withResolvers<void>();
    let runs = 0;
    await server.listen({ topic, server: 's' }, async () => {
      runs += 1;
      begin();
      await release;
      return runs;
    });
    const call = client.call({ topic }, message(), { timeoutMs: 60_000 });
    await begun;
    proxy.freeze();
    while (!/Heartbeat timeout/.test(log.text())) await sleep(50);
    proxy.cut();
    const again = client.call({ topic, server: 's' }, message(), { timeoutMs: 60_000 });
    while (runs < 2) await sleep(20);
    end();
    assert.deepEqual(await Promise.all([call, again]), [2, 2]);
    assert.equal(runs, 2);
  });

  test('a broker that is killed under load loses nothing that it confirmed; every call ends', async () => {
    const topic = randomUUID();
    const [server, client] = [await open(broker.url, durable), await open(broker.url, durable)];
    const seen = new Set<unknown>();
    await server.listen({ topic, server: 's' }, async ({ args }) => {
      seen.add(args.n);
    });
    const confirmed: number[] = [];
    let calls = 0;
    const stopAt = performance.now() + 3_000;
    const caster = async (first: number) => {
      for (let n = first; performance.now() < stopAt; n += 4) {
        await client.cast({ topic, server: 's' }, message({ n }));
        confirmed.push(n);
      }
    };
    const caller = async () => {
      for (let n = 0; performance.now() < stopAt; n += 1) {
        await client.call({ topic }, message({ n: `call ${n}` }), { timeoutMs: 30_000 }).catch((error) => {
          assert.ok(isFailure(error, 'RpcTimeout'));
        });
        calls += 1;
      }
    };
    const load = Promise.all([caster(0), caster(1), caster(2), caster(3), caller()]);
    await sleep(1_000);
    await broker.kill();
    await broker.start();
    await load;
    while (confirmed.some((n) => !seen.has(n))) await sleep(50);
    assert.ok(confirmed.length > 50 && calls > 0);
  });

  test('queues that a stopped broker forgets are there again once it is back', async () => {
    const topic = randomUUID();
    const [server, client] = [await open(broker.url), await open(broker.url)];
    const seen: unknown[] = [];
    await server.listen({ topic, server: 's' }, async ({ args }) => {
      seen.push(args.n);
      return args.n;
    });
    await broker.stop();
    const cast = client.cast({ topic, server: 's' }, message({ n: 'cast' }));
    const call = client.call({ topic }, message({ n: 'call' }), { timeoutMs: 60_000 });
    await broker.start();
    await cast;
    assert.equal(await call, 'call');
    await client.fanout(topic, message({ n: 'fanout' }));
    while (seen.length < 3) await sleep(20);
    assert.deepEqual(seen.toSorted(), ['call', 'cast', 'fanout']);
  });
});
