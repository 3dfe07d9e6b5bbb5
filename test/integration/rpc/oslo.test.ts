/** Unmodified oslo.messaging and our transport on RabbitMQ, each calling the other. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../../src/lib/timers.ts';
import { failure, isFailure } from '../../../src/model/errors.ts';
import { openNotifier } from '../../../src/rpc/create-notifier.ts';
import type { RabbitOptions } from '../../../src/rpc/options.ts';
import type { RpcHandler, RpcMessage, Transport } from '../../../src/rpc/transport.ts';
import { openTestTransport, rabbitDefaults } from '../../support/amqp.ts';
import { missingOslo, OsloError, type OsloPeer, startOsloPeer } from '../../support/oslo-peer.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const skip = missingRabbitmq() ?? missingOslo() ?? false;
const context = { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: true, roles: ['admin'] };
const message = (method: string, args: Record<string, unknown> = {}): RpcMessage => ({
  method,
  version: '3.0',
  args,
  context,
});
const variants: readonly { readonly name: string; readonly rabbit: Partial<RabbitOptions> }[] = [
  { name: 'openstack', rabbit: {} },
  { name: 'durable', rabbit: { amqp_durable_queues: true } },
  { name: 'quorum', rabbit: { rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 7 } },
  { name: 'passing', rabbit: { amqp_auto_delete: true, rabbit_transient_queues_ttl: 600 } },
];
const timeoutMs = 20_000;

describe('oslo.messaging and ours', { skip, timeout: 180_000 }, () => {
  let broker: TestRabbitmq;
  before(async () => {
    broker = await startTestRabbitmq();
  });
  after(() => broker?.close());

  for (const { name, rabbit } of variants.slice(0, 3)) {
    describe(`with the exchange ${name}`, () => {
      let peer: OsloPeer;
      let ours: Transport;
      before(async () => {
        [peer, ours] = await Promise.all([
          startOsloPeer(broker.url, { controlExchange: name, rabbit }),
          openTestTransport(broker.url, { controlExchange: name, rabbit }),
        ]);
        await peer.run({ do: 'serve', topic: `${name}-theirs`, server: 'node' });
      });
      after(async () => {
        await peer?.close();
        await ours?.close();
      });

      test('it calls, casts and fans out to us', async () => {
        const topic = `${name}-ours`;
        const seen: RpcMessage[] = [];
        const handler: RpcHandler = async (got) => {
          seen.push(got);
          return { got: got.args };
        };
        await ours.listen({ topic, server: 'node' }, handler);
        const command = { topic, server: 'node', version: '3.5', context: { request_id: 'req-7', is_admin: true } };
        const args = { text: 'größer', list: [1, null, { deep: true }] };
        assert.deepEqual(await peer.run({ do: 'call', method: 'm', args, ...command }), { got: args });
        await peer.run({ do: 'cast', method: 'c', args, ...command });
        await peer.run({ do: 'cast', method: 'f', args, topic, fanout: true });
        await eventually(async () => assert.deepEqual(seen.map(({ method }) => method).sort(), ['c', 'f', 'm']));
        assert.equal(seen[0]!.version, '3.5');
        assert.equal(seen[0]!.context.requestId, 'req-7');
        assert.equal(seen[0]!.context.isAdmin, true);
      });

      test('we call, cast and fan out to it', async () => {
        const target = { topic: `${name}-theirs`, server: 'node' };
        const args = { text: 'größer', list: [1, null, { deep: true }] };
        const answer = (await ours.call(target, message('echo', args), { timeoutMs })) as Record<string, unknown>;
        assert.deepEqual(answer.args, args);
        assert.equal((answer.context as Record<string, unknown>).request_id, 'req-1');
        await ours.cast({ topic: target.topic }, message('note', { from: 'cast' }));
        await ours.fanout(target.topic, message('note', { from: 'fanout' }));
        await eventually(async () => {
          const seen = (await peer.run({ do: 'seen' })) as { from: string }[];
          assert.deepEqual(seen.map(({ from }) => from).sort(), ['cast', 'fanout']);
        });
      });

      test('both may serve one queue', async () => {
        const topic = `${name}-shared-${randomUUID()}`;
        await ours.listen({ topic, server: 'node' }, async () => 'ours');
        await peer.run({ do: 'serve', topic, server: 'node' });
        await ours.cast({ topic: `${topic}-later`, server: 'node' }, message('note', { from: 'before' }));
        await peer.run({ do: 'serve', topic: `${topic}-later`, server: 'node' });
        await eventually(async () => {
          const seen = (await peer.run({ do: 'seen' })) as { from: string }[];
          assert.ok(seen.some(({ from }) => from === 'before'));
        });
      });
    });
  }

  for (const { name, rabbit } of variants.slice(0, 3)) {
    test(`a listener of notifications hears ours, with the exchange ${name}`, async (t) => {
      const topics = [`${name}-first`, `${name}-second`];
      const peer = await startOsloPeer(broker.url, { controlExchange: name, rabbit });
      t.after(() => peer.close());
      const open = (driver: string) =>
        openNotifier({
          url: broker.url,
          notifications: { driver: [driver], topics, transport_url: null, retry: -1 },
          options: { controlExchange: name, concurrency: 1, rabbit: { ...rabbitDefaults(), ...rabbit } },
          log: recorderLog(),
        })!;
      const carried = { auth_token: 'token-1234', user_domain: 'default' };
      const occasion = (eventType: string, priority: 'info' | 'error' = 'info') => ({
        ...{ publisherId: 'volume.node@lvm', eventType, priority, context: { ...context, carried } },
        payload: async () => ({ text: 'größer', nothing: null, list: [{ deep: true }] }),
      });
      // What is sent before anybody listens waits for the listener.
      const [envelope, bare] = [open('messagingv2'), open('messaging')];
      envelope.notify(occasion('volume.create.start'));
      envelope.notify(occasion('scheduler.create_volume', 'error'));
      await envelope.close({ timeoutMs });
      await peer.run({ do: 'listen', topics });
      bare.notify(occasion('volume.create.end'));
      await bare.close({ timeoutMs });
      const heard = await eventually(async () => {
        const notified = (await peer.run({ do: 'notified' })) as Record<string, unknown>[];
        assert.equal(notified.length, 6, 'three, to two topics');
        return notified;
      });
      const events = heard.map(({ event, priority }) => `${event} ${priority}`).sort();
      const each = ['scheduler.create_volume error', 'volume.create.end info', 'volume.create.start info'];
      assert.deepEqual(
        events,
        each.flatMap((one) => [one, one]),
      );
      const [one] = heard;
      assert.equal(one!.publisher, 'volume.node@lvm');
      assert.deepEqual(one!.payload, { text: 'größer', nothing: null, list: [{ deep: true }] });
      const told = one!.context as Record<string, unknown>;
      assert.equal(told.request_id, 'req-1');
      assert.equal(told.user_domain, 'default');
      assert.equal(told.auth_token, null);
      const { message_id: id, timestamp } = one!.metadata as Record<string, string>;
      assert.match(id!, /^[0-9a-f-]{36}$/);
      assert.match(timestamp!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
    });
  }

  describe('the same exchanges, queues and bindings', () => {
    test('in every variant', async () => {
      const opened = await Promise.all(
        variants.map(async ({ name, rabbit }) => {
          const options = { controlExchange: `x-${name}`, rabbit };
          const peer = await startOsloPeer(broker.url, options);
          const theirs = { topic: `x-${name}-theirs`, server: 'node' };
          await peer.run({ do: 'serve', ...theirs });
          await peer.run({ do: 'call', method: 'echo', version: '3.0', ...theirs });
          const ours = await openTestTransport(broker.url, options);
          await ours.listen({ topic: `x-${name}-ours`, server: 'node' }, async () => null);
          return { peer, ours };
        }),
      );
      const listed = await Promise.all([
        broker.control('list_queues', 'name', 'durable', 'auto_delete', 'exclusive', 'arguments', 'type'),
        broker.control('list_exchanges', 'name', 'type', 'durable', 'auto_delete', 'internal', 'arguments'),
        broker.control('list_bindings', 'source_name', 'destination_name', 'routing_key', 'arguments'),
      ]);
      for (const { peer, ours } of opened) await Promise.all([peer.close(), ours.close()]);
      for (const { name } of variants) {
        const of = (who: string) => rowsOf(listed.join('\n'), `x-${name}-${who}`);
        assert.ok(of('ours').length >= 9, listed.join('\n'));
        assert.deepEqual(of('ours'), of('theirs'));
      }
      const replies = listed[0].split('\n').filter((row) => row.startsWith('reply_'));
      const kinds = new Set(replies.map((row) => row.replace(/^reply_[0-9a-f]{32}/, '')));
      // Theirs and ours alike live on for 1800 s, and in one variant for 600 s.
      assert.equal(kinds.size, 2, replies.join('\n'));
    });
  });

  describe('failures and signs of life', () => {
    let peer: OsloPeer;
    let ours: Transport;
    before(async () => {
      [peer, ours] = await Promise.all([startOsloPeer(broker.url), openTestTransport(broker.url)]);
      await peer.run({ do: 'serve', topic: 'failing', server: 'theirs' });
    });
    after(async () => {
      await peer?.close();
      await ours?.close();
    });

    test('Python raises the class that it knows for our failures', async (t) => {
      const failures = [
        failure('VolumeNotFound', { id: 'v1' }),
        failure('NotImplemented', { what: 'It', next: 'Wait.' }),
        failure('InvalidArguments', { method: 'm', reason: 'wrong' }),
        failure('NoSuchMethod', { method: 'm' }),
      ];
      await ours.listen({ topic: 'failing', server: 'ours' }, async ({ args }) => {
        throw failures[args.n as number]!;
      });
      const raised = async (n: number) => {
        try {
          await peer.run({ do: 'call', topic: 'failing', server: 'ours', method: 'm', args: { n } });
        } catch (error) {
          if (error instanceof OsloError) return error.raised;
          throw error;
        }
        throw new Error('nothing was raised');
      };
      assert.ok((await raised(1)).bases.includes('NotImplementedError'));
      assert.ok((await raised(2)).bases.includes('TypeError'));
      assert.equal((await raised(3)).class, 'RemoteError');
      if (!peer.hasCinder) return t.skip("python3-cinder, which has Cinder's exceptions, is not installed");
      const notFound = await raised(0);
      assert.ok(notFound.bases.includes('VolumeNotFound'));
      assert.equal(notFound.kwargs?.volume_id, 'v1');
    });

    test("its failures are ours: Cinder's, Python's, and those that nobody knows", async () => {
      const call = (method: string, how: string, version = '3.0') =>
        ours.call({ topic: 'failing', server: 'theirs' }, { ...message(method, { how }), version }, { timeoutMs });
      if (peer.hasCinder) await assert.rejects(call('fail', 'cinder'), (error) => isFailure(error, 'VolumeNotFound'));
      await assert.rejects(call('fail', 'unknown'), (error) => isFailure(error, 'RemoteError'));
      await assert.rejects(call('none', 'x'), (error) => isFailure(error, 'NoSuchMethod'));
      await assert.rejects(call('echo', 'x', '4.0'), (error) => isFailure(error, 'UnsupportedVersion'));
      await assert.rejects(call('slow', 'x'), (error) => isFailure(error, 'InvalidArguments'));
    });

    test('a long call lives as long as the other side gives signs of it', async () => {
      await ours.listen({ topic: 'long', server: 'ours' }, async () => {
        await sleep(3_000);
        return 'done';
      });
      const command = { do: 'call', topic: 'long', server: 'ours', method: 'm', monitor: 1, timeout: 20 };
      const [theirCall, ourCall] = await Promise.all([
        peer.run(command),
        ours.call({ topic: 'failing', server: 'theirs' }, message('slow', { seconds: 4 }), {
          timeoutMs,
          monitorMs: 2000,
        }),
      ]);
      assert.deepEqual([theirCall, ourCall], ['done', 'done']);
    });

    test('and ends early without one', { timeout: 10_000 }, async () => {
      const call = ours.call({ topic: 'nobody' }, message('m'), { timeoutMs: 600_000, monitorMs: 1000 });
      await assert.rejects(call, (error) => isFailure(error, 'RpcTimeout'));
    });
  });
});

/** The rows that speak of one topic, without its name and without what is random in a queue's. */
function rowsOf(listed: string, topic: string): string[] {
  return listed
    .split('\n')
    .filter((row) => row.includes(topic))
    .map((row) => row.replaceAll(topic, 'topic').replaceAll(/_fanout_[0-9a-f]{32}/g, '_fanout_<id>'))
    .sort();
}

/** Tries for ten seconds. */
async function eventually<T>(check: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}
