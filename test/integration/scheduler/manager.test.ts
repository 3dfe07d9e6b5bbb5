import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../../src/db/store.ts';
import { failure } from '../../../src/model/errors.ts';
import { SCHEDULER_TOPIC } from '../../../src/rpcapi/requests.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { createWorld, type World } from './world.ts';

describe('scheduler', { timeout: 240_000 }, () => {
  let postgres: TestPostgres;
  let store: Store;
  let world: World;

  before(async () => {
    postgres = await startTestPostgres();
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    store = await postgres.freshStore();
    world = createWorld(store);
  });
  afterEach(() => world.stop());

  const volumeOf = async (id: string) => (await store.volumes.get(id))!;
  const operationOf = async (id: string) => (await store.operations.get(id))!;
  const placedGb = async (requests: readonly { volumeId: string }[]) => {
    const volumes = await Promise.all(requests.map(({ volumeId }) => volumeOf(volumeId)));
    return volumes.filter(({ status, host }) => status === 'creating' && host !== null).length;
  };
  const many = (count: number, args: Record<string, unknown> = {}) =>
    Promise.all(Array.from({ length: count }, () => world.request({}, args)));

  describe('a new volume', () => {
    it('gets the best pool, and its volume service the operation', async () => {
      await Promise.all([world.service('small'), world.service('large')]);
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('small', { free_capacity_gb: 20 }));
      scheduler.receiveCapabilities(world.report('large', { free_capacity_gb: 80 }));
      const { volumeId, operationId } = await world.request({ sizeGb: 10 });
      assert.equal(await scheduler.perform(operationId), 'handed over');
      const volume = await volumeOf(volumeId);
      assert.equal(volume.host, `${world.host('large')}#pool0`);
      assert.equal(volume.status, 'creating');
      assert.ok(volume.scheduledAt instanceof Date);
      const operation = await operationOf(operationId);
      assert.equal(operation.owner, world.host('large'));
      assert.equal(operation.state, 'queued');
      assert.deepEqual(
        world.woken.map(({ id, owner }) => [id, owner]),
        [[operationId, world.host('large')]],
      );
    });

    it('is handed over once, however often the scheduler is woken', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node'));
      const { operationId } = await world.request();
      const outcomes = await Promise.all([scheduler.perform(operationId), scheduler.perform(operationId)]);
      assert.deepEqual(outcomes, ['handed over', 'handed over']);
      assert.equal(await scheduler.perform(operationId), 'nothing to do');
      assert.equal(await scheduler.perform(randomUUID()), 'nothing to do');
      assert.equal(world.woken.length, 1);
    });

    it('fails with the reasons of every backend where none can take it', async () => {
      await Promise.all([world.service('full'), world.service('east', 'east'), world.service('silent')]);
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('full', { free_capacity_gb: 3 }));
      scheduler.receiveCapabilities(world.report('east'));
      const { volumeId, operationId } = await world.request({ sizeGb: 10 }, { availabilityZone: 'nova' });
      assert.equal(await scheduler.perform(operationId), 'refused');
      assert.equal((await volumeOf(volumeId)).status, 'error');
      const operation = await operationOf(operationId);
      assert.equal(operation.state, 'failed');
      assert.equal(operation.errorCode, 'NoValidBackend');
      assert.match(operation.error!, /^No backend can take the volume: /);
      assert.ok(operation.error!.length <= 255);
      const logged = world.log.records.find(({ message }) => message.startsWith('no pool'))!.message;
      assert.ok(logged.includes(`${world.host('full')}#pool0: has 3.0 GiB free, 10 GiB asked for (CapacityFilter)`));
      assert.ok(
        logged.includes(`${world.host('east')}#pool0: is in zone east, nova asked for (AvailabilityZoneFilter)`),
      );
      assert.ok(logged.includes(`${world.host('silent')}: has not reported yet (BackendStateFilter)`));
      assert.equal(world.woken.length, 0);
    });

    it('goes where its type asks for', async () => {
      await Promise.all([world.service('a'), world.service('b')]);
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('a', { tier: 'bronze' }));
      scheduler.receiveCapabilities(world.report('b', { tier: 'gold', free_capacity_gb: 5 }));
      const gold = await world.type({ tier: '<in> gold' });
      const { volumeId, operationId } = await world.request({ volumeTypeId: gold.id });
      assert.equal(await scheduler.perform(operationId), 'handed over');
      assert.equal((await volumeOf(volumeId)).host, `${world.host('b')}#pool0`);
    });

    it('goes where its source is, or nowhere', async () => {
      await Promise.all([world.service('a'), world.service('b')]);
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('a'));
      scheduler.receiveCapabilities(world.report('b', { free_capacity_gb: 5 }));
      const pinnedHost = `${world.host('b')}#pool0`;
      const fits = await world.request({ sizeGb: 5 }, { pinnedHost });
      assert.equal(await scheduler.perform(fits.operationId), 'handed over');
      assert.equal((await volumeOf(fits.volumeId)).host, pinnedHost);
      const tooMuch = await world.request({ sizeGb: 5 }, { pinnedHost });
      assert.equal(await scheduler.perform(tooMuch.operationId), 'refused');
      assert.match((await operationOf(tooMuch.operationId)).error!, /b@lvm#pool0: has 0\.0 GiB free, 5 GiB asked for/);
    });

    it('is not created any more once somebody deletes it or it is gone', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node'));
      const deleted = await world.request({ status: 'deleting' });
      assert.equal(await scheduler.perform(deleted.operationId), 'refused');
      assert.equal((await volumeOf(deleted.volumeId)).status, 'deleting');
      assert.equal((await operationOf(deleted.operationId)).errorCode, 'Overtaken');
      const goneId = await world.operation(randomUUID(), 'create_volume', {});
      assert.equal(await scheduler.perform(goneId), 'refused');
      assert.equal((await operationOf(goneId)).errorCode, 'VolumeNotFound');
    });
  });

  describe('a retry', () => {
    it('goes to another backend than the ones that failed', async () => {
      await Promise.all([world.service('a'), world.service('b')]);
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('a'));
      scheduler.receiveCapabilities(world.report('b', { free_capacity_gb: 5 }));
      const { volumeId, operationId } = await world.request();
      await scheduler.perform(operationId);
      const failed = `${world.host('a')}#pool0`;
      assert.equal((await volumeOf(volumeId)).host, failed);
      // The volume service hands it back.
      await store.operations.claim(operationId, world.host('a'), 'volume-service');
      const args = { ...(await operationOf(operationId)).arguments, excludedHosts: [failed] };
      const from = { owner: world.host('a'), worker: 'volume-service' };
      await store.operations.handOver(operationId, from, SCHEDULER_TOPIC, { arguments: args });
      await store.volumes.updateIf(volumeId, { status: 'creating' }, { host: null });
      assert.equal(await scheduler.perform(operationId), 'handed over');
      assert.equal((await volumeOf(volumeId)).host, `${world.host('b')}#pool0`);
      const free = Object.fromEntries(
        (await scheduler.getPools()).map(({ name, capabilities }) => [name, capabilities.free_capacity_gb]),
      );
      assert.deepEqual(free, { [failed]: 100, [`${world.host('b')}#pool0`]: 4 });
    });

    it('ends at the limit with what each backend said', async () => {
      await world.service('node');
      const scheduler = world.scheduler({ scheduler_max_attempts: 2 });
      scheduler.receiveCapabilities(world.report('node'));
      const { volumeId, operationId } = await world.request(
        {},
        { excludedHosts: ['a@lvm#p', 'b@lvm#p'], failures: { 'a@lvm#p': 'lvcreate ended with 5' } },
      );
      assert.equal(await scheduler.perform(operationId), 'refused');
      assert.equal((await volumeOf(volumeId)).status, 'error');
      assert.match(
        (await operationOf(operationId)).error!,
        /2 attempts failed.*a@lvm#p: lvcreate ended with 5; b@lvm#p: failed; its log says why/,
      );
    });
  });

  describe('a nearly full pool', () => {
    it('is never overcommitted by requests at the same time', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const requests = await many(50);
      const outcomes = await Promise.all(requests.map(({ operationId }) => scheduler.perform(operationId)));
      assert.equal(outcomes.filter((outcome) => outcome === 'handed over').length, 12);
      assert.equal(outcomes.filter((outcome) => outcome === 'refused').length, 38);
      assert.equal(await placedGb(requests), 12);
    });

    it('is not overcommitted by a report that does not show the placed volumes yet', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const first = await many(7);
      await Promise.all(first.map(({ operationId }) => scheduler.perform(operationId)));
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const second = await many(12);
      await Promise.all(second.map(({ operationId }) => scheduler.perform(operationId)));
      assert.equal(await placedGb([...first, ...second]), 12);
    });

    it('has the room back that a report made after the end of an operation shows', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const requests = await many(7);
      await Promise.all(requests.map(({ operationId }) => scheduler.perform(operationId)));
      const shown = async () => (await scheduler.getPools())[0]!.capabilities.free_capacity_gb;
      const early = world.report('node', { free_capacity_gb: 10 });
      await sleep(5);
      for (const { operationId } of requests) await world.finish(operationId);
      scheduler.receiveCapabilities(early);
      // It was made before the volumes were: it may show some of them, or none.
      assert.equal(await shown(), 3);
      // Some of the volumes were deleted meanwhile.
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 9, allocated_capacity_gb: 3 }));
      assert.equal(await shown(), 9);
      assert.equal((await scheduler.getPools())[0]!.capabilities.allocated_capacity_gb, 3);
    });

    it('is not overcommitted after a restart, nor by what another scheduler placed', async () => {
      await world.service('node');
      const before = world.scheduler();
      before.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const first = await many(7);
      await Promise.all(first.map(({ operationId }) => before.perform(operationId)));
      const next = world.scheduler();
      next.receiveCapabilities(world.report('node', { free_capacity_gb: 12, allocated_capacity_gb: 7 }));
      const pool = (await next.getPools())[0]!.capabilities;
      assert.equal(pool.free_capacity_gb, 5);
      assert.equal(pool.allocated_capacity_gb, 7);
      const second = await many(12);
      await Promise.all(second.map(({ operationId }) => next.perform(operationId)));
      assert.equal(await placedGb([...first, ...second]), 12);
    });
  });

  describe('an extension', () => {
    const extending = async (sizeGb: number, newSizeGb: number, host: string | null) => {
      const volume = await world.volume({ sizeGb, host, status: 'extending', previousStatus: 'available' });
      return { volumeId: volume.id, operationId: await world.operation(volume.id, 'extend_volume', { newSizeGb }) };
    };

    it('is handed to the volume service where its pool has room for the growth', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 10 }));
      const { volumeId, operationId } = await extending(5, 15, `${world.host('node')}#pool0`);
      assert.equal(await scheduler.perform(operationId), 'handed over');
      assert.equal((await volumeOf(volumeId)).status, 'extending');
      assert.equal((await operationOf(operationId)).owner, world.host('node'));
      assert.equal((await scheduler.getPools())[0]!.capabilities.free_capacity_gb, 0);
    });

    it('leaves the volume as usable as before where there is none', async () => {
      await world.service('node');
      await world.service('other');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 9 }));
      scheduler.receiveCapabilities(world.report('other'));
      const { volumeId, operationId } = await extending(5, 15, `${world.host('node')}#pool0`);
      assert.equal(await scheduler.perform(operationId), 'refused');
      const volume = await volumeOf(volumeId);
      assert.equal(volume.status, 'available');
      assert.equal(volume.sizeGb, 5);
      const operation = await operationOf(operationId);
      assert.equal(operation.errorCode, 'NoValidBackend');
      assert.match(operation.error!, /#pool0: has 9\.0 GiB free, 10 GiB asked for$/);
    });

    it('counts the growth that is under way after a restart', async () => {
      await world.service('node');
      const before = world.scheduler();
      before.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      const { operationId } = await extending(5, 15, `${world.host('node')}#pool0`);
      await before.perform(operationId);
      const next = world.scheduler();
      next.receiveCapabilities(world.report('node', { free_capacity_gb: 12 }));
      assert.equal((await next.getPools())[0]!.capabilities.free_capacity_gb, 2);
    });

    it('is refused with the reason where the pool or its service is not there', async () => {
      await world.service('node');
      await world.service('silent');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node'));
      const cases: readonly (readonly [string | null, RegExp])[] = [
        [`${world.host('node')}#other`, /node@lvm: reports no such pool/],
        [`${world.host('silent')}#pool0`, /has not reported yet/],
        [`${world.host('gone')}#pool0`, /has no record; start it/],
        [null, /was never placed/],
      ];
      for (const [host, expected] of cases) {
        const { volumeId, operationId } = await extending(1, 2, host);
        assert.equal(await scheduler.perform(operationId), 'refused');
        assert.match((await operationOf(operationId)).error!, expected);
        assert.equal((await volumeOf(volumeId)).status, 'available');
      }
    });
  });

  describe('at the start', () => {
    it('waits for the first report before it decides', async () => {
      await world.service('node');
      const looked = Promise.withResolvers<void>();
      const services = {
        ...store.services,
        list: async () => {
          // By then the scheduler has seen that there is no report, and a refusal would be on its way.
          setTimeout(looked.resolve, 50);
          return await store.services.list();
        },
      };
      const scheduler = world.scheduler({ scheduler_driver_init_wait_time: 60 }, { ...store, services });
      const { volumeId, operationId } = await world.request();
      const placing = scheduler.perform(operationId);
      await looked.promise;
      assert.equal((await operationOf(operationId)).state, 'queued');
      assert.equal((await volumeOf(volumeId)).status, 'creating');
      scheduler.receiveCapabilities(world.report('node'));
      assert.equal(await placing, 'handed over');
    });

    it('decides without a report when the time is over', async () => {
      await world.service('node');
      const scheduler = world.scheduler({ scheduler_driver_init_wait_time: 0.3 });
      const { operationId } = await world.request({}, { pinnedHost: world.host('node') });
      assert.equal(await scheduler.perform(operationId), 'refused');
      assert.match((await operationOf(operationId)).error!, /node@lvm: has not reported yet/);
    });

    it('leaves to the record what still waits when it is stopped', async () => {
      await world.service('node');
      const scheduler = world.scheduler({ scheduler_driver_init_wait_time: 60 });
      const { volumeId, operationId } = await world.request();
      const placing = scheduler.perform(operationId);
      await scheduler.stop();
      assert.equal(await placing, 'left for later');
      assert.equal(await scheduler.perform(operationId), 'left for later');
      assert.equal((await operationOf(operationId)).state, 'queued');
      assert.equal((await volumeOf(volumeId)).status, 'creating');
    });

    it('takes up everything that waits in the record, and a sweep what was lost since', async () => {
      await world.service('node');
      const scheduler = world.scheduler();
      scheduler.receiveCapabilities(world.report('node'));
      const requests = await many(20);
      assert.equal(await scheduler.recover(), 20);
      assert.equal(await placedGb(requests), 20);
      const lost = await world.request();
      assert.equal(await scheduler.sweep(), 1);
      assert.equal(await placedGb([lost]), 1);
      assert.equal(await scheduler.sweep(), 0);
      assert.equal(world.woken.length, 21);
    });
  });

  it('places every operation once where several schedulers run', async () => {
    await world.service('node');
    const schedulers = [world.scheduler(), world.scheduler(), world.scheduler()];
    for (const scheduler of schedulers) scheduler.receiveCapabilities(world.report('node'));
    const requests = await many(20);
    await Promise.all(
      requests.flatMap(({ operationId }) => schedulers.map((scheduler) => scheduler.perform(operationId))),
    );
    assert.equal(await placedGb(requests), 20);
    assert.deepEqual(
      world.woken.map(({ id }) => id).toSorted(),
      requests.map(({ operationId }) => operationId).toSorted(),
    );
  });

  it('does not undo what another scheduler decided meanwhile', async () => {
    await world.service('node');
    const blind = world.scheduler();
    blind.receiveCapabilities(world.report('node', { free_capacity_gb: 0 }));
    const seeing = world.scheduler();
    seeing.receiveCapabilities(world.report('node'));
    const requests = await many(20);
    await Promise.all(requests.flatMap(({ operationId }) => [blind.perform(operationId), seeing.perform(operationId)]));
    for (const { volumeId, operationId } of requests) {
      const { status, host } = await volumeOf(volumeId);
      const { state, owner } = await operationOf(operationId);
      const placed = status === 'creating' && host !== null && state === 'queued' && owner === world.host('node');
      const refused = status === 'error' && host === null && state === 'failed' && owner === SCHEDULER_TOPIC;
      assert.ok(placed || refused, JSON.stringify({ status, host, state, owner }));
    }
  });

  it('leaves an operation in the record when the database fails, without promising its room twice', async () => {
    await world.service('node');
    let failures = 3;
    const flaky: Store = {
      ...store,
      transaction: (work) => {
        failures -= 1;
        const reason = 'connection terminated';
        return failures >= 0
          ? Promise.reject(failure('ConnectionFailed', { what: 'the database', reason }))
          : store.transaction(work);
      },
    };
    const scheduler = world.scheduler({}, flaky);
    scheduler.receiveCapabilities(world.report('node', { free_capacity_gb: 1 }));
    const { operationId } = await world.request();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      assert.equal(await scheduler.perform(operationId), 'left for later');
      assert.equal((await operationOf(operationId)).state, 'queued');
    }
    assert.equal(await scheduler.perform(operationId), 'handed over');
    assert.equal((await scheduler.getPools())[0]!.capabilities.free_capacity_gb, 0);
  });

  it('ends an operation that no scheduler knows', async () => {
    const scheduler = world.scheduler();
    const volume = await world.volume({ status: 'available' });
    const operationId = await world.operation(volume.id, 'migrate_volume', {});
    assert.equal(await scheduler.perform(operationId), 'refused');
    assert.match((await operationOf(operationId)).error!, /no method migrate_volume/);
    assert.equal((await volumeOf(volume.id)).status, 'available');
  });

  it('shows the pools that can serve a type, by its name or id', async () => {
    await Promise.all([world.service('a'), world.service('b')]);
    const scheduler = world.scheduler();
    scheduler.receiveCapabilities(world.report('a', { tier: 'bronze' }));
    scheduler.receiveCapabilities(world.report('b', { tier: 'gold' }));
    const gold = await world.type({ tier: 'gold' });
    const names = async (filters: Record<string, unknown>) =>
      (await scheduler.getPools(filters)).map(({ name }) => name);
    assert.deepEqual(await names({ volume_type: gold.name }), [`${world.host('b')}#pool0`]);
    assert.deepEqual(await names({ volume_type: gold.id }), [`${world.host('b')}#pool0`]);
    assert.deepEqual(await names({ volume_type: 'no such type' }), []);
    assert.deepEqual(await names({ name: `${world.host('a')}#pool0` }), [`${world.host('a')}#pool0`]);
  });

  it('ignores what is no report, and says so in the log', async () => {
    const scheduler = world.scheduler();
    scheduler.receiveCapabilities({ host: 5 });
    assert.deepEqual(await scheduler.getPools(), []);
    assert.ok(world.log.records.some(({ level, message }) => level === 'warn' && message.includes('cannot be read')));
  });
});
