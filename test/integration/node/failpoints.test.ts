/**
 * A real node, killed with SIGKILL at every fail point of every request, and started again: the request has ended once
 * and nothing is left behind. The points are found by tracing the request once, so a new effect is covered by itself.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Operation } from '../../../src/model/operation.ts';
import { type Bench, openBench } from '../../support/failpoint-bench.ts';
import type { NodeProcess } from '../../support/node-process.ts';

const connector = { initiator: 'iqn.2004-10.com.example:one', host: 'client', ip: '127.0.0.1' };

/** What a request works on; each round gets one of its own. */
interface Subject {
  readonly name: string;
  readonly volumeId: string;
  readonly resourceId: string;
}

interface Request {
  readonly name: string;
  readonly method: string;
  prepare(node: NodeProcess): Promise<Subject>;
  send(node: NodeProcess, subject: Subject): Promise<unknown>;
  /** `done`, or `not recorded` where nobody was told that the request was taken; anything else fails the test. */
  outcome(subject: Subject): Promise<{ readonly state: string; readonly resourceId: string | null }>;
}

let bench: Bench;
before(async () => {
  bench = await openBench();
});
after(() => bench.close());

const none: Subject = { name: '', volumeId: '', resourceId: '' };

async function newVolume(node: NodeProcess): Promise<Subject> {
  const name = `v-${randomUUID()}`;
  const { status, body } = await node.request('POST', '/volumes', { volume: { size: 1, name } });
  assert.equal(status, 202, JSON.stringify(body));
  await bench.settled();
  return { name, volumeId: body.volume.id, resourceId: body.volume.id };
}

async function newSnapshot(node: NodeProcess): Promise<Subject> {
  const volume = await newVolume(node);
  const { status, body } = await node.request('POST', '/snapshots', { snapshot: { volume_id: volume.volumeId } });
  assert.equal(status, 202, JSON.stringify(body));
  await bench.settled();
  return { ...volume, resourceId: body.snapshot.id };
}

function attach(node: NodeProcess, { volumeId }: Subject) {
  const attachment = { volume_uuid: volumeId, connector };
  return node.request('POST', '/attachments', { attachment });
}

async function volumeState(id: string): Promise<string> {
  return (await bench.store.volumes.get(id))?.status ?? 'gone';
}

const requests: readonly Request[] = [
  {
    name: 'create',
    method: 'create_volume',
    prepare: async () => ({ ...none, name: `v-${randomUUID()}` }),
    send: (node, { name }) => node.request('POST', '/volumes', { volume: { size: 1, name } }),
    async outcome({ name }) {
      const [volume, ...more] = await bench.store.volumes.list({ projectId: null, filters: { name } });
      assert.equal(more.length, 0, 'made twice');
      if (volume === undefined) return { state: 'not recorded', resourceId: null };
      return { state: volume.status === 'available' ? 'done' : volume.status, resourceId: volume.id };
    },
  },
  {
    name: 'delete',
    method: 'delete_volume',
    prepare: newVolume,
    send: (node, { volumeId }) => node.request('DELETE', `/volumes/${volumeId}`),
    async outcome({ volumeId }) {
      const state = await volumeState(volumeId);
      if (state === 'available') return { state: 'not recorded', resourceId: null };
      return { state: state === 'gone' ? 'done' : state, resourceId: volumeId };
    },
  },
  {
    name: 'snapshot create',
    method: 'create_snapshot',
    prepare: newVolume,
    send: (node, { volumeId }) => node.request('POST', '/snapshots', { snapshot: { volume_id: volumeId } }),
    async outcome({ volumeId }) {
      const [snapshot, ...more] = await bench.store.snapshots.list({ projectId: null, filters: { volumeId } });
      assert.equal(more.length, 0, 'made twice');
      if (snapshot === undefined) return { state: 'not recorded', resourceId: null };
      return { state: snapshot.status === 'available' ? 'done' : snapshot.status, resourceId: snapshot.id };
    },
  },
  {
    name: 'snapshot delete',
    method: 'delete_snapshot',
    prepare: newSnapshot,
    send: (node, { resourceId }) => node.request('DELETE', `/snapshots/${resourceId}`),
    async outcome({ resourceId }) {
      const snapshot = await bench.store.snapshots.get(resourceId);
      if (snapshot === null) return { state: 'done', resourceId };
      return { state: snapshot.status === 'available' ? 'not recorded' : snapshot.status, resourceId: null };
    },
  },
  {
    name: 'attach',
    method: 'attachment_update',
    prepare: newVolume,
    send: attach,
    async outcome({ volumeId }) {
      const [attachment, ...more] = await bench.store.attachments.listByVolume(volumeId);
      assert.equal(more.length, 0, 'attached twice');
      const volume = await volumeState(volumeId);
      if (attachment === undefined)
        return { state: volume === 'available' ? 'not recorded' : volume, resourceId: null };
      const good =
        attachment.attachStatus === 'attaching' && attachment.connectionInfo !== null && volume === 'attaching';
      return { state: good ? 'done' : `${attachment.attachStatus}, volume ${volume}`, resourceId: attachment.id };
    },
  },
  {
    name: 'detach',
    method: 'attachment_delete',
    async prepare(node) {
      const volume = await newVolume(node);
      const { status, body } = await attach(node, volume);
      assert.equal(status, 200, JSON.stringify(body));
      return { ...volume, resourceId: body.attachment.id };
    },
    send: (node, { resourceId }) => node.request('DELETE', `/attachments/${resourceId}`),
    async outcome({ volumeId, resourceId }) {
      const [attachment] = await bench.store.attachments.listByVolume(volumeId);
      const volume = await volumeState(volumeId);
      if (attachment === undefined) return { state: volume === 'available' ? 'done' : volume, resourceId };
      const untouched = attachment.attachStatus === 'attaching' && volume === 'attaching';
      return { state: untouched ? 'not recorded' : `${attachment.attachStatus}, volume ${volume}`, resourceId: null };
    },
  },
];

const table: string[] = [];

for (const request of requests) {
  test(`${request.name}: killed at every point, it ends once and leaves nothing behind`, async () => {
    const { points, subjects } = await explore(request);
    assert.ok(points.length >= 6, `only ${points.length} points: ${points.join(' ')}`);
    // The start that takes up what one kill left is also the one that the next kill ends.
    for (const [index, point] of points.entries()) {
      const node = await bench.start({ ASHLAR_FAILPOINTS: `${point}=kill` });
      if (index > 0) await judge(request, points[index - 1]!, subjects[index - 1]!);
      await bench.gate.open();
      await request.send(node, subjects[index]!).catch(() => undefined);
      const { signal } = await node.exited;
      await bench.gate.close();
      assert.equal(signal, 'SIGKILL', `${point} was not passed this time`);
    }
    const last = await bench.start();
    await judge(request, points.at(-1)!, subjects.at(-1)!);
    await last.stop();
  });
}

test('the table of points and outcomes', () => {
  console.log(`\n${'request'.padEnd(16)} ${'killed at'.padEnd(32)} ${'outcome'.padEnd(14)} attempts`);
  for (const row of table) console.log(row);
  assert.ok(table.length > 40, `only ${table.length} rows`);
});

/** One whole request with the trace on, and a subject for each point that it passes. */
async function explore(request: Request): Promise<{ points: string[]; subjects: Subject[] }> {
  const node = await bench.start();
  try {
    const subject = await request.prepare(node);
    await bench.trace();
    await bench.gate.open();
    await request.send(node, subject);
    await bench.settled();
    // The last points come after the record's end: the answer, and the report to the scheduler.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await bench.gate.close();
    // Reports of capacity come with the start as well, so their hits cannot be told apart.
    const points = numbered(await bench.trace()).filter((point) => !point.includes('service_capabilities'));
    const subjects: Subject[] = [];
    for (const _ of points) subjects.push(await request.prepare(node));
    return { points, subjects };
  } finally {
    await bench.gate.close();
    await node.stop();
  }
}

async function judge(request: Request, point: string, subject: Subject): Promise<void> {
  await bench.settled();
  const what = `${request.name}, killed at ${point}`;
  const { state, resourceId } = await request.outcome(subject);
  assert.ok(state === 'done' || state === 'not recorded', `${what}: ended as ${state}`);
  const history = resourceId === null ? [] : await bench.history(resourceId);
  const mine = history.filter(({ method }: Operation) => method === request.method);
  assert.equal(mine.length, state === 'done' ? 1 : 0, `${what}: ${mine.length} records`);
  assert.ok(
    mine.every((operation) => operation.state === 'done'),
    `${what}: ${JSON.stringify(mine)}`,
  );
  for (const { what: kind, found, wanted } of await bench.leftovers()) {
    const extra = found.filter((name) => !wanted.includes(name));
    const missing = wanted.filter((name) => !found.includes(name));
    assert.deepEqual({ extra, missing }, { extra: [], missing: [] }, `${what}: ${kind}`);
  }
  table.push(`${request.name.padEnd(16)} ${point.padEnd(32)} ${state.padEnd(14)} ${mine[0]?.attempt ?? 0}`);
}

/** `name` of the first hit, `name#2` of the second: the form of ASHLAR_FAILPOINTS. */
function numbered(names: readonly string[]): string[] {
  const hits = new Map<string, number>();
  return names.map((name) => {
    const hit = (hits.get(name) ?? 0) + 1;
    hits.set(name, hit);
    return hit === 1 ? name : `${name}#${hit}`;
  });
}
