/** Ten thousand messages that are none, among good ones: all good ones are done, and the service keeps nothing of the rest. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConfirmChannel, connect } from 'amqplib';
import { volumeTarget } from '../../../src/rpc/addresses.ts';
import type { Transport } from '../../../src/rpc/transport.ts';
import { openTestTransport } from '../../support/amqp.ts';
import { hugeMessage, malformedMessages } from '../../support/malformed.ts';
import { eventually } from '../../support/node-process.ts';
import { type OutageBed, SERVICE_HOST, startOutageBed } from '../../support/outage-bed.ts';
import { assertAllEnded, createMessage, insertCreating } from '../../support/outage-load.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';

const MALFORMED = 10_000;
const SEED = 20261120;
const PROBE = new URL('../../support/memory-probe.ts', import.meta.url);
/** What it may hold more than before: what the allocator keeps of its busiest moment; 10,000 remembered ids in the heap. */
const GROWTH_MIB = 128;
const HEAP_GROWTH_MIB = 16;
/** A message of 15 MiB is decoded, parsed and refused: several copies of it for a moment. */
const PEAK_MIB = 700;
const MIB = 2 ** 20;
/** MiB: some are refused by their arguments, some for their size alone. */
const HUGE = [...Array.from({ length: 24 }, () => 4), 15, 15, 15, 15, 17, 17, 17, 17];
const GOOD_EVERY = 200;
const CALL_EVERY = 500;

describe('messages that are none', { skip: missingRabbitmq() ?? false, timeout: 300_000 }, () => {
  let bed: OutageBed;
  let peer: Transport;
  let raw: Awaited<ReturnType<typeof connect>>;
  let channel: ConfirmChannel;
  before(async () => {
    const env = (directory: string) => ({ NODE_OPTIONS: `--import ${PROBE}`, MEMORY_PROBE: directory });
    bed = await startOutageBed({ env });
    peer = await openTestTransport(bed.broker.url);
    raw = await connect(bed.broker.url.replace('rabbit:', 'amqp:'), { noDelay: true });
    channel = await raw.createConfirmChannel();
  });
  after(async () => {
    await raw?.close();
    await peer?.close();
    await bed?.close();
  });

  const route = `cinder-volume.${SERVICE_HOST}.node`;
  const send = (bytes: Buffer) => channel.publish('openstack', route, bytes, { mandatory: true });
  const context = { requestId: 'req-1', userId: 'admin', projectId: null, isAdmin: true, roles: [] };
  const ask = () => {
    const message = { method: 'get_capabilities', version: '3.0', args: { discover: true }, context };
    return peer.call(volumeTarget(SERVICE_HOST), message, { timeoutMs: 60_000 });
  };
  const child = async () => (await bed.volume.children()).get('ashlar volume: one')!;
  const collected = async () => {
    const pid = await child();
    const file = join(bed.directory, `memory-${pid}.json`);
    await rm(file, { force: true });
    process.kill(pid, 'SIGWINCH');
    const text = await eventually('the figures of its memory', () => readFile(file, 'utf8').catch(() => undefined));
    return JSON.parse(text) as NodeJS.MemoryUsage;
  };
  const said = ({ rss, heapUsed }: NodeJS.MemoryUsage) =>
    `RSS ${Math.round(rss / MIB)}, heap ${Math.round(heapUsed / MIB)}`;

  test('all good ones are done, memory is bounded, the queues end empty', async (t) => {
    await ask();
    const before = await child();
    const first = await collected();
    const good: string[] = [];
    const calls: Promise<unknown>[] = [];
    const type = (await bed.store.types.getByName('__DEFAULT__'))!.id;
    const messages = malformedMessages(createMessage(randomUUID()).args, MALFORMED, SEED);
    for (const [index, bytes] of messages.entries()) {
      send(bytes);
      if (index % GOOD_EVERY === 0) {
        const id = randomUUID();
        good.push(id);
        await insertCreating(bed.store, id, type);
        await peer.cast(volumeTarget(SERVICE_HOST), createMessage(id));
      }
      if (index % CALL_EVERY === 0) calls.push(ask());
    }
    await channel.waitForConfirms();
    for (const answer of await Promise.all(calls)) {
      assert.equal((answer as Record<string, unknown>).volume_backend_name, 'one');
    }
    const ended = await assertAllEnded(bed, good.length, 60_000);
    assert.deepEqual(
      ended.map(({ id, status }) => `${id} ${status}`).sort(),
      good.map((id) => `${id} available`).sort(),
    );
    await queuesAreEmpty();
    assert.equal(await child(), before, 'it has been started again');
    const held = await collected();
    t.diagnostic(
      `${MALFORMED} malformed, ${good.length} creates, ${calls.length} calls; MiB: ${said(first)} -> ${said(held)}`,
    );
    assertSteady(first, held);
  });

  test('huge ones: read and refused, or not read at all', async (t) => {
    const sendAll = async () => {
      for (const megabytes of HUGE) send(hugeMessage(megabytes));
      await channel.waitForConfirms();
      await ask();
      await queuesAreEmpty();
    };
    // The first round makes the room that the allocator keeps; the second needs no more.
    await sendAll();
    const first = await collected();
    await sendAll();
    const held = await collected();
    const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${await child()}/status`, 'utf8'))![1]) / 1024;
    t.diagnostic(`MiB: ${said(first)} -> ${said(held)}, at most ${Math.round(peak)}`);
    assertSteady(first, held);
    assert.ok(peak < PEAK_MIB, String(peak));
  });

  function assertSteady(first: NodeJS.MemoryUsage, held: NodeJS.MemoryUsage): void {
    assert.ok(held.rss - first.rss < GROWTH_MIB * MIB, said(held));
    assert.ok(held.heapUsed - first.heapUsed < HEAP_GROWTH_MIB * MIB, said(held));
  }

  async function queuesAreEmpty(): Promise<void> {
    const rows = (await bed.broker.control('list_queues', 'name', 'messages')).split('\n').slice(1).filter(Boolean);
    assert.ok(
      rows.some((row) => row.startsWith(route)),
      rows.join('\n'),
    );
    for (const row of rows) assert.match(row, /\t0$/);
  }
});
