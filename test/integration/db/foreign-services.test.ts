import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../../src/db/connection.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import type { Store } from '../../../src/db/store.ts';
import { addSnapshot, addVolume, newProject } from '../../suites/store/rows.ts';
import { addForeignService } from '../../support/cinder-volume-stand-in.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

const binary = 'cinder-volume';
const registration = {
  binary,
  topic: binary,
  availabilityZone: 'nova',
  rpcCurrentVersion: '3.18',
  objectCurrentVersion: '1.39',
  disabledOnCreate: false,
};

describe('a database that a Cinder shares', () => {
  let postgres: TestPostgres;
  let database: Database;
  let store: Store;
  before(async () => {
    postgres = await startTestPostgres();
    database = openDatabase({ connection: await postgres.migratedDatabase() });
    store = createStore(database);
  });
  after(async () => {
    await store?.close();
    await postgres?.stop();
  });

  const isForeign = async (host: string) => (await store.services.listForeign({ host, binary })).length === 1;
  /** What a Cinder's heartbeat does. */
  const foreignBeat = (host: string) =>
    database.knex.raw('update services set report_count = report_count + 1 where host = ?', [host]);

  test('whoever beats a service has it: ours, another make, ours again', async () => {
    const host = `${randomUUID()}@lvm`;
    const first = await store.services.register({ ...registration, host });
    await store.services.heartbeat(first.id);
    assert.equal(await isForeign(host), false);
    await foreignBeat(host);
    assert.equal(await isForeign(host), true);
    await store.services.register({ ...registration, host });
    assert.equal(await isForeign(host), false);
    const [life] = await database.knex('ashlar_services').where({ host }).select('epoch', 'report_count');
    assert.deepEqual([Number(life.epoch), life.report_count], [2, 2]);

    const other = `${randomUUID()}@lvm`;
    await addForeignService(database.knex, { host: other, binary, rpc: '3.16', objects: '1.38' });
    assert.equal(await isForeign(other), true);
    assert.equal((await store.services.listForeign({ host: other, binary: 'cinder-backup' })).length, 0);
  });

  test('after any beats of both the last to start, or else the other, has it', async () => {
    const step = fc.constantFrom('start', 'ours', 'theirs');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const host = `${randomUUID()}@lvm`;
        const { id } = await store.services.register({ ...registration, host });
        let expected = false;
        for (const each of steps) {
          if (each === 'start') await store.services.register({ ...registration, host });
          else if (each === 'ours') await store.services.heartbeat(id);
          else await foreignBeat(host);
          expected = each === 'theirs';
        }
        assert.equal(await isForeign(host), expected);
      }),
      { numRuns: 20 },
    );
  });

  test("a Cinder's usages are set to what is there, except where it is at work on them", async () => {
    const projectId = newProject();
    const volume = await addVolume(store, { projectId, sizeGb: 5 });
    await addVolume(store, { projectId, sizeGb: 7, useQuota: false });
    await addSnapshot(store, volume);
    const usage = async (resource: string, inUse: number) => {
      const row = { project_id: projectId, resource, in_use: inUse, reserved: 0, deleted: false, race_preventer: true };
      const [made] = await database.knex('quota_usages').insert(row).returning('id');
      return made.id as number;
    };
    const volumes = await usage('volumes', 0);
    const ofType = await usage('gigabytes___DEFAULT__', 77);
    const gigabytes = await usage('gigabytes', 3);
    await usage('backups', 4);
    const open = { uuid: randomUUID(), usage_id: gigabytes, project_id: projectId, resource: 'gigabytes', delta: -1 };
    const expire = database.knex.raw("now() at time zone 'UTC' + interval '1 hour'");
    await database.knex('reservations').insert({ ...open, deleted: false, expire });

    const counted = async () => {
      const rows = await database.knex('quota_usages').where({ project_id: projectId }).select('resource', 'in_use');
      return Object.fromEntries(rows.map(({ resource, in_use }) => [resource, in_use]));
    };
    assert.equal(await store.quotas.refreshPeerUsages({ noSnapshotGb: false }), 2);
    assert.deepEqual(await counted(), { volumes: 1, gigabytes___DEFAULT__: 10, gigabytes: 3, backups: 4 });
    await database.knex('reservations').where({ uuid: open.uuid }).update({ deleted: true });
    assert.equal(await store.quotas.refreshPeerUsages({ noSnapshotGb: true }), 2);
    assert.deepEqual(await counted(), { volumes: 1, gigabytes___DEFAULT__: 5, gigabytes: 5, backups: 4 });
    assert.equal(await store.quotas.refreshPeerUsages({ noSnapshotGb: true }), 0);
    // What a Cinder's volume service does at a delete that our API recorded: it subtracts what nobody had added.
    await store.volumes.updateIf(volume.id, {}, { status: 'deleted', deleted: true });
    await database.knex('quota_usages').whereIn('id', [volumes, ofType, gigabytes]).update({ in_use: 0 });
    assert.equal(await store.quotas.refreshPeerUsages({ noSnapshotGb: true }), 0);
    assert.equal((await counted()).volumes, 0);
  });
});
