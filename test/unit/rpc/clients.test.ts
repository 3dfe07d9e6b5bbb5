import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportCapabilities } from '../../../src/rpc/clients.ts';
import { createMemoryTransport } from '../../../src/rpc/memory.ts';

test('a report carries its time as Cinder’s schedulers read it: microseconds, no zone', async () => {
  const transport = createMemoryTransport();
  const heard = Promise.withResolvers<unknown>();
  const address = { topic: 'cinder-scheduler', server: 'node' };
  const listener = await transport.listen(address, async ({ args }) => heard.resolve(args.timestamp));
  const context = { requestId: 'req-1', userId: null, projectId: null, isAdmin: true, roles: [] };
  const measuredAt = new Date('2026-01-02T03:04:05.678Z');
  await reportCapabilities(transport, context, { host: 'node@fake', capabilities: {}, measuredAt });
  assert.equal(await heard.promise, '2026-01-02T03:04:05.678000');
  await listener.close();
});
