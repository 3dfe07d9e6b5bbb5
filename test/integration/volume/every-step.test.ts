/**
 * Every operation of the volume service, failed at every call to the driver and the target, before and after its
 * effect, once and for ever, and at every commit: its record ends once, its row says what the transition table says,
 * nothing is left behind that a delete does not find, and the same request succeeds afterwards.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Store } from '../../../src/db/store.ts';
import { armFailpoints } from '../../../src/lib/failpoint.ts';
import { failure } from '../../../src/model/errors.ts';
import type { Operation } from '../../../src/model/operation.ts';
import { attachmentTransitions, snapshotTransitions, volumeTransitions } from '../../../src/model/status.ts';
import { SCHEDULER_TOPIC } from '../../../src/rpcapi/requests.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import {
  blankCreate,
  CONNECTOR,
  type CreateArguments,
  openVolumeBed,
  POOL,
  type VolumeBed,
} from '../../support/volume-bed.ts';

let postgres: TestPostgres;
let store: Store;
let bed: VolumeBed;
before(async () => {
  postgres = await startTestPostgres();
  store = await postgres.freshStore();
  bed = await openVolumeBed(store);
});
after(async () => {
  await store.close();
  await postgres.stop();
});
afterEach(() => armFailpoints(undefined));

/** One request, ready to be performed. */
interface Scene {
  readonly operationId: string;
  /** Asks for the same once more, as a caller would after a failure. */
  again(): Promise<string>;
  /** The status that the operation sets. */
  status(): Promise<string>;
}

interface Case {
  readonly name: string;
  prepare(): Promise<Scene>;
  readonly done: string;
  readonly failed: string;
  /** Its failure leaves the backend as it was. */
  readonly undone: boolean;
  /** Interrupted, it is not done again: it ends as failed. */
  readonly takenBack?: true;
  readonly rescheduled?: true;
}

const volumeStatus = (id: string) => async () => (await store.volumes.get(id, { deleted: true }))?.status ?? 'no row';
const snapshotStatus = (id: string) => async () =>
  (await store.snapshots.get(id, { deleted: true }))?.status ?? 'no row';
const attachmentStatus = (id: string) => async () => (await store.attachments.get(id))?.attachStatus ?? 'deleted';
const exported = async (id: string) =>
  (await store.volumes.get(id))?.providerLocation === null ? 'not exported' : 'exported';

async function creation(row: object, args: CreateArguments): Promise<Scene> {
  const { id } = await bed.insertVolume(row);
  const record = () => bed.record('create_volume', id, args);
  return {
    operationId: await record(),
    status: volumeStatus(id),
    // A user deletes a failed volume and asks for another; the same row stands for that one here.
    async again() {
      await store.volumes.updateIf(id, {}, { status: 'creating', host: POOL });
      return record();
    },
  };
}

const { create, remove, extend } = volumeTransitions;
const { connect, disconnect } = attachmentTransitions;

const cases: readonly Case[] = [
  {
    name: 'create, pinned',
    prepare: () => creation({}, blankCreate),
    ...{ done: create.done, failed: create.failed, undone: true },
  },
  {
    name: 'create, anywhere',
    prepare: () => creation({}, { ...blankCreate, pinnedHost: null }),
    ...{ done: create.done, failed: create.during, undone: true, rescheduled: true },
  },
  {
    name: 'create from a snapshot',
    async prepare() {
      const snapshotId = await bed.snapshot(await bed.volume());
      return creation({ snapshotId }, { ...blankCreate, source: { kind: 'snapshot', snapshotId } });
    },
    ...{ done: create.done, failed: create.failed, undone: true },
  },
  {
    name: 'create from a volume',
    async prepare() {
      const volumeId = await bed.volume();
      return creation({ sourceVolumeId: volumeId }, { ...blankCreate, source: { kind: 'volume', volumeId } });
    },
    ...{ done: create.done, failed: create.failed, undone: true },
  },
  {
    name: 'delete, with an export and a snapshot left',
    async prepare() {
      const id = await bed.volume();
      await bed.snapshot(id);
      await bed.ask('initialize_connection', id, { connector: CONNECTOR });
      const again = async () => {
        await store.volumes.updateIf(id, {}, { status: remove.during });
        return bed.record('delete_volume', id, { force: false, cascade: true });
      };
      return { operationId: await again(), again, status: volumeStatus(id) };
    },
    ...{ done: remove.done, failed: remove.failed, undone: false },
  },
  {
    name: 'extend',
    async prepare() {
      const id = await bed.volume();
      const again = async () => {
        await store.volumes.updateIf(id, {}, { status: extend.during, previousStatus: 'available' });
        return bed.record('extend_volume', id, { newSizeGb: 2 });
      };
      return { operationId: await again(), again, status: volumeStatus(id) };
    },
    ...{ done: 'available', failed: extend.failed, undone: false },
  },
  {
    name: 'create a snapshot',
    async prepare() {
      const volumeId = await bed.volume();
      const id = await bed.insertSnapshot(volumeId);
      const again = async () => {
        await store.snapshots.updateIf(id, {}, { status: 'creating' });
        return bed.record('create_snapshot', id, { volumeId });
      };
      return { operationId: await again(), again, status: snapshotStatus(id) };
    },
    ...{ done: snapshotTransitions.create.done, failed: snapshotTransitions.create.failed, undone: true },
  },
  {
    name: 'delete a snapshot',
    async prepare() {
      const volumeId = await bed.volume();
      const id = await bed.snapshot(volumeId);
      const again = async () => {
        await store.snapshots.updateIf(id, {}, { status: 'deleting' });
        return bed.record('delete_snapshot', id, { volumeId });
      };
      return { operationId: await again(), again, status: snapshotStatus(id) };
    },
    ...{ done: snapshotTransitions.remove.done, failed: snapshotTransitions.remove.failed, undone: false },
  },
  {
    name: 'connect an attachment',
    async prepare() {
      const volumeId = await bed.volume();
      const id = await bed.reserve(volumeId);
      const again = () => bed.record('attachment_update', id, { volumeId, connector: CONNECTOR });
      return { operationId: await again(), again, status: attachmentStatus(id) };
    },
    ...{ done: connect.done, failed: connect.failed, undone: true },
  },
  {
    name: 'connect an attachment that the same request made',
    async prepare() {
      const volumeId = await bed.volume();
      let id = await bed.reserve(volumeId);
      const record = () => bed.record('attachment_update', id, { volumeId, connector: CONNECTOR, created: true });
      return {
        operationId: await record(),
        status: () => attachmentStatus(id)(),
        async again() {
          assert.equal(await volumeStatus(volumeId)(), 'available');
          id = await bed.reserve(volumeId);
          return record();
        },
      };
    },
    ...{ done: connect.done, failed: 'deleted', undone: true },
  },
  {
    name: 'disconnect the last attachment',
    async prepare() {
      const volumeId = await bed.volume();
      const id = await bed.connect(volumeId);
      const again = async () => {
        await store.attachments.updateIf(id, {}, { attachStatus: disconnect.during });
        return bed.record('attachment_delete', id, { volumeId });
      };
      return { operationId: await again(), again, status: attachmentStatus(id) };
    },
    ...{ done: disconnect.done, failed: disconnect.failed, undone: false },
  },
  {
    name: 'initialize a connection',
    async prepare() {
      const id = await bed.volume();
      const again = () => bed.record('initialize_connection', id, { connector: CONNECTOR });
      return { operationId: await again(), again, status: () => exported(id) };
    },
    ...{ done: 'exported', failed: 'not exported', undone: true, takenBack: true },
  },
  {
    name: 'terminate a connection',
    async prepare() {
      const id = await bed.volume();
      await bed.ask('initialize_connection', id, { connector: CONNECTOR });
      const again = () => bed.record('terminate_connection', id, { connector: CONNECTOR, force: false });
      return { operationId: await again(), again, status: () => exported(id) };
    },
    ...{ done: 'not exported', failed: 'exported', undone: false },
  },
  {
    name: 'attach',
    async prepare() {
      const id = await bed.volume();
      const attachmentId = randomUUID();
      const args = { attachmentId, instanceId: null, hostName: 'client', mountpoint: '/dev/vdb', mode: 'rw' } as const;
      const again = () => bed.record('attach_volume', id, args);
      return { operationId: await again(), again, status: volumeStatus(id) };
    },
    ...{ done: 'in-use', failed: 'available', undone: true },
  },
  {
    name: 'detach',
    async prepare() {
      const id = await bed.volume();
      await bed.ask('initialize_connection', id, { connector: CONNECTOR });
      const attachmentId = randomUUID();
      const args = { attachmentId, instanceId: null, hostName: 'client', mountpoint: '/dev/vdb', mode: 'rw' } as const;
      await bed.ask('attach_volume', id, args);
      const again = () => bed.record('detach_volume', id, { attachmentId });
      return { operationId: await again(), again, status: volumeStatus(id) };
    },
    ...{ done: 'available', failed: 'error', undone: false },
  },
];

for (const each of cases) {
  describe(each.name, () => {
    test('done twice is done once: a wake-up more is no news, and a second go over the same ground succeeds', async () => {
      const scene = await each.prepare();
      bed.faults.clear();
      const both = [bed.manager.perform(scene.operationId), bed.manager.perform(scene.operationId)];
      await Promise.all(both);
      const calls = [...bed.faults.calls];
      assert.equal(await scene.status(), each.done);
      await bed.manager.perform(scene.operationId, { recovering: true });
      assert.deepEqual(bed.faults.calls, calls, 'an ended operation has effects');
      const { state, attempt } = await record(scene.operationId);
      assert.deepEqual({ state, attempt }, { state: 'done', attempt: 1 });
      await bed.clear();
    });

    test('cut off after its effects, before its end is written, it ends as the table says', async () => {
      const scene = await each.prepare();
      const was = await bed.leftovers();
      const dying = bed.newManager({ store: withoutTransactions(store) });
      await assert.rejects(dying.perform(scene.operationId), /cannot be reached/);
      assert.equal((await record(scene.operationId)).state, 'running');
      await bed.manager.perform(scene.operationId, { recovering: true }).catch(() => undefined);
      const { state, attempt } = await record(scene.operationId);
      assert.deepEqual({ state, attempt }, { state: each.takenBack === true ? 'failed' : 'done', attempt: 2 });
      if (each.takenBack === true) await judgeFailure(scene, each, was, 'taken back');
      await finish(scene, each);
      await bed.clear();
    });

    test('failed at every call, before and after its effect, once and for ever', async () => {
      const explored = await each.prepare();
      bed.faults.clear();
      await bed.manager.perform(explored.operationId);
      const calls = [...new Set(bed.faults.calls)];
      await bed.clear();
      for (const call of calls) {
        for (const when of ['before', 'after'] as const) {
          for (const times of [1, Number.POSITIVE_INFINITY]) {
            const where = `${call}, ${when} its effect, ${times === 1 ? 'once' : 'for ever'}`;
            const scene = await each.prepare();
            const was = await bed.leftovers();
            bed.faults.fail(call, when, times);
            await assert.rejects(bed.manager.perform(scene.operationId), where);
            bed.faults.clear();
            await judgeFailure(scene, each, was, where);
            await finish(scene, each);
            await bed.clear();
          }
        }
      }
    });

    test('failed at every commit, before and after it', async () => {
      const commits = await commitsOf(each);
      for (const point of ['db.commit.before', 'db.commit.after', 'operation.claimed']) {
        for (let hit = 1; hit <= (point === 'operation.claimed' ? 1 : commits); hit += 1) {
          const scene = await each.prepare();
          const was = await bed.leftovers();
          armFailpoints({ actions: new Map([[point, { hit, action: 'throw' }]]) });
          const failed = await bed.manager.perform(scene.operationId).then(
            () => false,
            () => true,
          );
          armFailpoints(undefined);
          const where = `${point}, hit ${hit}`;
          const { finishedAt, state, owner } = await record(scene.operationId);
          if (finishedAt === null && owner !== SCHEDULER_TOPIC) {
            assert.ok(failed && bed.manager.wasCutOff(scene.operationId), `${where}: nobody takes it up again`);
          } else if (state !== 'done') await judgeFailure(scene, each, was, where);
          await finish(scene, each);
          await bed.clear();
        }
      }
    });
  });
}

async function record(id: string): Promise<Operation> {
  return (await store.operations.get(id))!;
}

/** How many commits performing it takes. */
async function commitsOf(each: Case): Promise<number> {
  const scene = await each.prepare();
  let commits = 0;
  const trace = (name: string) => {
    if (name === 'db.commit.before') commits += 1;
  };
  armFailpoints({ actions: new Map(), trace });
  await bed.manager.perform(scene.operationId);
  armFailpoints(undefined);
  await bed.clear();
  return commits;
}

/** A database that goes away between an effect and the transaction that would end the record. */
function withoutTransactions(whole: Store): Store {
  const away = () => Promise.reject(failure('ConnectionFailed', { what: 'Database test', reason: 'away.' }));
  return { ...whole, transaction: away, operations: { ...whole.operations, finishWithVolume: away } };
}

async function judgeFailure(scene: Scene, each: Case, was: readonly string[], where: string): Promise<void> {
  const { state, owner, arguments: args } = await record(scene.operationId);
  if (each.rescheduled === true) {
    assert.deepEqual([state, owner, args.excludedHosts], ['queued', SCHEDULER_TOPIC, [POOL]], where);
  } else {
    assert.equal(state, 'failed', where);
  }
  assert.equal(await scene.status(), each.failed, where);
  if (each.undone) assert.deepEqual(await bed.leftovers(), was, where);
}

/** Whatever became of it: taken up again where it was cut off, asked for again where it failed, it is done. */
async function finish(scene: Scene, each: Case): Promise<void> {
  await bed.manager.perform(scene.operationId, { recovering: true }).catch(() => undefined);
  const { state, finishedAt, owner } = await record(scene.operationId);
  assert.ok(finishedAt !== null || owner === SCHEDULER_TOPIC, 'not ended');
  if (state !== 'done') await bed.manager.perform(await scene.again());
  assert.equal(await scene.status(), each.done);
}
