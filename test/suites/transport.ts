/** The transport's contract (src/rpc/transport.ts): every implementation runs this. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sleep } from '../../src/lib/timers.ts';
import { failure, isFailure } from '../../src/model/errors.ts';
import { volumeAddresses } from '../../src/rpc/addresses.ts';
import { NotTaken, type RpcMessage, type Transport } from '../../src/rpc/transport.ts';

const context = { requestId: 'req-1', userId: 'u', projectId: 'p', isAdmin: true, roles: ['admin'] };
const message = (args: Record<string, unknown> = {}): RpcMessage => ({ method: 'echo', version: '3.0', args, context });

export function transportSuite(name: string, open: () => Promise<Transport>): void {
  describe(`transport ${name}`, () => {
    let transport: Transport;
    // Queues outlive a test where a broker keeps them.
    let topic: string;
    beforeEach(async () => {
      topic = `topic-${randomUUID()}`;
      transport = await open();
    });
    afterEach(() => transport.close());

    test('a call is answered with what the handler returns, by value', async () => {
      const answer = { list: [1] };
      await transport.listen({ topic, server: 's' }, async ({ args }) => ({ ...answer, got: args.x }));
      const result = (await transport.call({ topic, server: 's' }, message({ x: 1 }), { timeoutMs: 5000 })) as {
        list: number[];
      };
      assert.deepEqual(result, { list: [1], got: 1 });
      result.list.push(2);
      assert.deepEqual(answer.list, [1]);
    });

    test('a failure arrives with code, message and parameters', async () => {
      await transport.listen({ topic, server: 's' }, async () => {
        throw failure('VolumeNotFound', { id: 'v1' });
      });
      await assert.rejects(transport.call({ topic }, message(), { timeoutMs: 5000 }), (error) => {
        assert.ok(isFailure(error, 'VolumeNotFound'));
        assert.equal(error.message, 'Volume v1 could not be found.');
        assert.deepEqual(error.params, { id: 'v1' });
        return true;
      });
    });

    test('a call that nobody answers ends with RpcTimeout and is not delivered later', async () => {
      await assert.rejects(transport.call({ topic, server: 's' }, message(), { timeoutMs: 50 }), (error) =>
        isFailure(error, 'RpcTimeout'),
      );
      let delivered = 0;
      await transport.listen({ topic, server: 's' }, async () => {
        delivered += 1;
      });
      await transport.call({ topic, server: 's' }, message(), { timeoutMs: 5000 });
      assert.equal(delivered, 1);
    });

    test('a cast waits for its listener', async () => {
      await transport.cast({ topic, server: 's' }, message({ n: 1 }));
      const got = await new Promise((resolve) => {
        void transport.listen({ topic, server: 's' }, async ({ args }) => resolve(args.n));
      });
      assert.equal(got, 1);
    });

    test('a topic message goes to one of its servers, a fan-out to all', async () => {
      const seen: string[] = [];
      for (const server of ['a', 'b']) {
        await transport.listen({ topic, server }, async ({ args }) => {
          seen.push(`${args.kind}:${server}`);
        });
      }
      await transport.call({ topic }, message({ kind: 'one' }), { timeoutMs: 5000 });
      assert.equal(seen.length, 1);
      await transport.fanout(topic, message({ kind: 'all' }));
      await transport.call({ topic, server: 'a' }, message({ kind: 'flush' }), { timeoutMs: 5000 });
      await transport.call({ topic, server: 'b' }, message({ kind: 'flush' }), { timeoutMs: 5000 });
      assert.deepEqual(seen.filter((entry) => entry.startsWith('all')).sort(), ['all:a', 'all:b']);
    });

    test('a message for one server never reaches another', async () => {
      const seen: string[] = [];
      for (const server of ['a', 'b']) {
        await transport.listen({ topic, server }, async () => {
          seen.push(server);
        });
      }
      for (let i = 0; i < 5; i += 1) {
        await transport.call({ topic, server: 'b' }, message(), { timeoutMs: 5000 });
      }
      assert.deepEqual([...new Set(seen)], ['b']);
    });

    test('close waits for what runs and takes nothing new', async () => {
      const { promise: release, resolve } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      let ended = false;
      const listener = await transport.listen({ topic, server: 's' }, async () => {
        begin();
        await release;
        ended = true;
      });
      const call = transport.call({ topic, server: 's' }, message(), { timeoutMs: 5000 });
      await begun;
      const closed = listener.close().then(() => assert.ok(ended));
      resolve();
      await Promise.all([closed, call]);
      await assert.rejects(transport.call({ topic, server: 's' }, message(), { timeoutMs: 30 }), (error) =>
        isFailure(error, 'RpcTimeout'),
      );
    });

    test('what a listener had not acknowledged when it closed goes to another, what it had does not', async () => {
      const { promise: release, resolve } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      let taken = 0;
      const first = await transport.listen({ topic, server: 's' }, async ({ args }, delivery) => {
        if (args.n === 1) {
          delivery.ack();
          delivery.ack();
        }
        taken += 1;
        if (taken === 2) begin();
        await release;
      });
      await transport.cast({ topic, server: 's' }, message({ n: 1 }));
      await transport.cast({ topic, server: 's' }, message({ n: 2 }));
      await begun;
      await first.close({ timeoutMs: 10 });
      const seen: unknown[] = [];
      await transport.listen({ topic, server: 's' }, async ({ args }, { redelivered }) => {
        seen.push([args.n, redelivered]);
      });
      await transport.call({ topic, server: 's' }, message({ n: 3 }), { timeoutMs: 5000 });
      assert.deepEqual(seen, [
        [2, true],
        [3, false],
      ]);
      resolve();
    });

    test('what a handler could not take goes back when the listener closes, and nobody is answered meanwhile', async () => {
      const refusing = await transport.listen({ topic, server: 's' }, async () => {
        throw new NotTaken();
      });
      const answer = transport.call({ topic, server: 's' }, message(), { timeoutMs: 20_000 });
      await sleep(50);
      await refusing.close();
      await transport.listen({ topic, server: 's' }, async (_, { redelivered }) => ({ redelivered }));
      assert.deepEqual(await answer, { redelivered: true });
    });

    test('a message arrives with its version, who sent it, and the record that it is about', async () => {
      const got = Promise.withResolvers<RpcMessage>();
      await transport.listen({ topic, server: 's' }, async (arrived) => got.resolve(arrived));
      await transport.cast({ topic }, { ...message(), version: '3.7', operationId: 'op-1' });
      const { version, operationId, context: sender } = await got.promise;
      assert.deepEqual([version, operationId, sender], ['3.7', 'op-1', context]);
    });

    test('every message has an id of its own', async () => {
      const ids = new Set<string>();
      await transport.listen({ topic, server: 's' }, async (_message, { id }) => {
        ids.add(id);
      });
      for (let i = 0; i < 3; i += 1) await transport.call({ topic }, message(), { timeoutMs: 5000 });
      assert.equal(ids.size, 3);
      assert.ok([...ids].every((id) => /^[0-9a-f]{32}$/.test(id)));
    });

    test('two listeners of one service may share a queue: a backend answers to both of its names', async () => {
      const seen: string[] = [];
      for (const address of volumeAddresses('node@lvm')) {
        await transport.listen({ ...address, topic: `${topic}.${address.topic}` }, async ({ args }) => {
          seen.push(String(args.to));
        });
      }
      for (const [to, target] of Object.entries({
        any: { topic: 'cinder-volume' },
        old: { topic: 'cinder-volume', server: 'node@lvm' },
        new: { topic: 'cinder-volume.node@lvm', server: 'node' },
      })) {
        await transport.call({ ...target, topic: `${topic}.${target.topic}` }, message({ to }), { timeoutMs: 5000 });
      }
      assert.deepEqual(seen, ['any', 'old', 'new']);
    });
  });
}
