/** A whole node under random load, killed and stopped at random moments; and one whose pool is full. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { missingInitiator, qemuIo } from '../../support/initiator.ts';
import { createLoad, deleteEverything, type Promises, seeded } from '../../support/load.ts';
import { allEnded, auditPromises, exportsOf, filesIn, openNodeStore } from '../../support/node-audit.ts';
import { eventually } from '../../support/node-process.ts';
import { missingTgtd } from '../../support/tgtd.ts';
import { startWholeNode, type WholeNode } from '../../support/whole-node.ts';

const ROUNDS = 8;
/** Rounds that end with TERM; the others with SIGKILL for every process. */
const GENTLE = [2, 5];
/** Rounds in which the database alone is killed; the node starts it again and goes on. */
const WITHOUT_DATABASE = [1, 5, 6];
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const skip = missingTgtd() ?? missingInitiator() ?? false;

describe('chaos', { skip, timeout: 300_000 }, () => {
  test(`killed and stopped under load, it keeps every promise and every byte (CHAOS_SEED=${SEED})`, async (t) => {
    const random = seeded(SEED);
    const whole = await startWholeNode(
      `[DEFAULT]\nhost = chaos\nenabled_backends = file\n[file]\nvolume_driver = file\ntarget_helper = tgtadm\n`,
    );
    try {
      const patterns = new Map<string, { readonly url: string; readonly byte: number }>();
      for (const byte of [0x11, 0x22, 0x33]) {
        const id = await whole.ashlar('volume', 'create', '--size', '1', '-f', 'value', '-c', 'id');
        const url = await whole.ashlar(
          'attachment',
          'create',
          id,
          '--initiator',
          'iqn.2004-10.com.example:one',
          '--url',
        );
        assert.equal(await qemuIo(url, `write -P ${byte} 0 256k`, `write -P ${byte} 700M 64k`, 'flush'), 'ok');
        patterns.set(id, { url, byte });
      }
      const load = createLoad(random, [...patterns.keys()]);
      for (let round = 0; round < ROUNDS; round += 1) {
        const over = new AbortController();
        const running = load.run(whole.node(), over.signal);
        await pause(500 + random() * 2000);
        if (WITHOUT_DATABASE.includes(round)) {
          process.kill(await whole.childNamed('postgres'), 'SIGKILL');
          await pause(500 + random() * 1000);
        }
        if (GENTLE.includes(round)) await whole.node().stop();
        else await whole.killTree();
        over.abort();
        await running;
        await whole.restart();
      }
      t.diagnostic([...load.counts].map(([kind, count]) => `${kind} ${count}`).join(', '));
      assert.deepEqual(load.wrong, []);
      for (const { url, byte } of patterns.values()) {
        assert.equal(await qemuIo(url, `read -P ${byte} 0 256k`, `read -P ${byte} 700M 64k`), 'ok');
      }
      await judge(whole, load.volumes, load.snapshots);
      await judgeCopies(whole, patterns);
      await deleteEverything(whole.node());
      assert.deepEqual(await filesIn(join(whole.stateDir, 'file-volumes')), []);
      assert.deepEqual(await exportsOf(whole.stateDir), { targets: [], accounts: [] });
    } finally {
      await whole.close();
    }
  });

  test('a full pool is never promised twice; who is refused hears why, and all of it can be deleted', async () => {
    const capacityGb = 6;
    const whole = await startWholeNode(
      `[DEFAULT]\nhost = full\nenabled_backends = file\n[file]\nvolume_driver = file\ntarget_helper = fake\nfile_capacity_gb = ${capacityGb}\n`,
    );
    const store = await openNodeStore(whole.stateDir);
    try {
      const node = whole.node();
      const folder = join(whole.stateDir, 'file-volumes');
      const burst = async (count: number) => {
        const create = () => node.request('POST', '/volumes', { volume: { size: 1 } });
        const answers = await Promise.all(Array.from({ length: count }, create));
        await allEnded(store, 'full@file');
        return answers.map(({ body }) => body.volume.id as string);
      };
      const ids = await burst(20);
      const volumes = await store.volumes.list({ projectId: null });
      const good = volumes.filter(({ status }) => status === 'available');
      assert.equal(good.length, capacityGb);
      assert.equal((await filesIn(folder)).length, capacityGb);
      for (const { id } of volumes.filter(({ status }) => status !== 'available')) {
        const [last] = await store.operations.history(id, 1);
        assert.deepEqual([last?.state, last?.errorCode], ['failed', 'NoValidBackend']);
        assert.match(last?.error ?? '', /file.* free/, 'it says why');
      }
      // Room for two, and a volume, a snapshot and an extension want it at once.
      for (const { id } of good.slice(0, 2)) await node.request('DELETE', `/volumes/${id}`);
      await allEnded(store, 'full@file');
      const [left] = good.slice(2);
      await Promise.all([
        ...Array.from({ length: 3 }, () => node.request('POST', '/volumes', { volume: { size: 1 } })),
        ...Array.from({ length: 3 }, () =>
          node.request('POST', '/snapshots', { snapshot: { volume_id: left!.id, force: true } }),
        ),
        ...good
          .slice(3)
          .map(({ id }) => node.request('POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 2 } })),
      ]);
      await allEnded(store, 'full@file');
      const promisedGb =
        (await store.volumes.list({ projectId: null, filters: { status: 'available' } })).reduce(
          (sum, { sizeGb }) => sum + sizeGb,
          0,
        ) + (await store.snapshots.count({ projectId: null, filters: { status: 'available' } }));
      assert.ok(promisedGb <= capacityGb, `${promisedGb} GiB of ${capacityGb} are promised`);
      assert.ok(ids.length === 20);
      await deleteEverything(node);
      await allEnded(store, 'full@file');
      assert.deepEqual(await filesIn(folder), []);
    } finally {
      await store.close();
      await whole.close();
    }
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Everything that was promised has come to its end, and what is there is what the rows say. */
async function judge(whole: WholeNode, volumes: Promises, snapshots: Promises): Promise<void> {
  const store = await openNodeStore(whole.stateDir);
  try {
    const rows = await auditPromises({
      store,
      serviceHost: 'chaos@file',
      files: () => filesIn(join(whole.stateDir, 'file-volumes')),
      exports: () => exportsOf(whole.stateDir),
      promised: { volumes, snapshots },
    });
    const sumGb = rows.reduce((sum, { sizeGb }) => sum + sizeGb, 0);
    await eventually(`the report to say ${sumGb} GiB`, async () => {
      const { body } = await whole.node().request('GET', '/scheduler-stats/get_pools?detail=true');
      return body.pools[0]?.capabilities.allocated_capacity_gb === sumGb ? true : undefined;
    });
  } finally {
    await store.close();
  }
}

/** A copy holds the bytes of what it was made from. */
async function judgeCopies(whole: WholeNode, patterns: ReadonlyMap<string, { readonly byte: number }>): Promise<void> {
  const { body } = await whole.node().request('GET', '/volumes/detail?status=available');
  const copies = (body.volumes as { id: string; source_volid: string | null }[]).filter(
    ({ source_volid: source }) => source !== null && patterns.has(source),
  );
  for (const { id, source_volid: source } of copies.slice(0, 3)) {
    const url = await whole.ashlar('attachment', 'create', id, '--initiator', 'iqn.2004-10.com.example:two', '--url');
    const { byte } = patterns.get(source!)!;
    assert.equal(await qemuIo(url, `read -P ${byte} 0 256k`, `read -P ${byte} 700M 64k`), 'ok');
  }
}
