/** A volume service on a real broker: who sends to it as a Cinder does, and what waits when it stops. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Store } from '../../../src/db/store.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { volumeTarget } from '../../../src/rpc/addresses.ts';
import type { Transport } from '../../../src/rpc/transport.ts';
import { startVolumeService, type VolumeService } from '../../../src/volume/service.ts';
import { openTestTransport } from '../../support/amqp.ts';
import { readCapturedMessages } from '../../support/cinder-fixtures.ts';
import { eventually } from '../../support/node-process.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { openVolumeBed, POOL, SERVICE_HOST, type VolumeBed } from '../../support/volume-bed.ts';

const PROJECT = '0123456789abcdef0123456789abcdef';
const context = { requestId: 'req-1', userId: 'admin', projectId: PROJECT, isAdmin: true, roles: [] };

describe('a volume service on RabbitMQ', { skip: missingRabbitmq() ?? false, timeout: 180_000 }, () => {
  let postgres: TestPostgres;
  let broker: TestRabbitmq;
  let store: Store;
  let bed: VolumeBed;
  let own: Transport;
  let peer: Transport;
  let service: VolumeService | undefined;
  let typeId: string;

  before(async () => {
    [postgres, broker] = await Promise.all([startTestPostgres(), startTestRabbitmq()]);
    store = await postgres.freshStore();
    bed = await openVolumeBed(store);
    typeId = (await store.types.getByName('__DEFAULT__'))!.id;
    own = await openTestTransport(broker.url);
    peer = await openTestTransport(broker.url);
  });
  after(async () => {
    await service?.stop({ timeoutMs: 2000 });
    await peer?.close();
    await own?.close();
    await store?.close();
    await Promise.all([postgres?.stop(), broker?.close()]);
  });

  const start = async () => {
    service = await startVolumeService({
      ...{ store, transport: own, driver: bed.driver, target: bed.target, serviceHost: SERVICE_HOST },
      ...{ backendName: 'fake', volumeBackendName: 'fake', availabilityZone: 'nova', reservedPercentage: 0 },
      ...{ maxOverSubscriptionRatio: 1, volumeNameTemplate: 'volume-%s', snapshotNameTemplate: 'snapshot-%s' },
      ...{ reportIntervalMs: 60_000, statsIntervalMs: 60_000, enableNewServices: true, concurrency: 4 },
      ...{ maxAttempts: 3, maxRetryPauseMs: 10, log: recorderLog() },
    });
    assert.deepEqual(await service.firstState, { kind: 'up' });
  };
  const insert = () =>
    store.volumes.insert({
      ...{ id: randomUUID(), sizeGb: 1, volumeTypeId: typeId, status: 'creating', projectId: PROJECT, host: POOL },
    });
  const createMessage = (id: string) => {
    const { version, args } = readCapturedMessages().find(
      ({ file }) => file === 'rpc.cinder-volume.create_volume.json',
    )!;
    const object = args.volume as Record<string, { id: string }>;
    const text = JSON.stringify(args).replaceAll('node@lvm#pool0', POOL);
    const here = text.replaceAll(object['versioned_object.data']!.id, id);
    return { method: 'create_volume', version, args: JSON.parse(here), context };
  };
  const statusBecomes = (id: string, status: string) =>
    eventually(`${id} ${status}`, async () => ((await store.volumes.get(id))?.status === status ? true : undefined));
  const call = (method: string, version: string, args: Record<string, unknown>) =>
    peer.call(volumeTarget(SERVICE_HOST), { method, version, args, context }, { timeoutMs: 20_000 });

  test('answers calls, refuses in the classes that a peer knows, and makes what waited before it came', async () => {
    await start();
    const { id } = await insert();
    await peer.cast(volumeTarget(SERVICE_HOST), createMessage(id));
    await statusBecomes(id, 'available');
    const capabilities = (await call('get_capabilities', '3.0', { discover: true })) as Record<string, unknown>;
    assert.equal(capabilities.volume_backend_name, 'fake');
    await assert.rejects(call('nothing', '3.0', {}), (error) => isFailure(error, 'NoSuchMethod'));
    await assert.rejects(call('get_capabilities', '4.0', {}), (error) => isFailure(error, 'UnsupportedVersion'));
    await assert.rejects(call('get_capabilities', '3.0', { bogus: 1 }), (error) =>
      isFailure(error, 'InvalidArguments'),
    );
    await service!.stop({ timeoutMs: 5000 });
    const later = await insert();
    await peer.cast(volumeTarget(SERVICE_HOST), createMessage(later.id));
    await start();
    await statusBecomes(later.id, 'available');
  });

  test('gives what it has not begun back to the broker when it stops, and the next one does it', async () => {
    const volumes = await Promise.all(Array.from({ length: 12 }, insert));
    const held = bed.faults.hold('driver.createVolume');
    for (const { id } of volumes) await peer.cast(volumeTarget(SERVICE_HOST), createMessage(id));
    await held.reached;
    const stopping = service!.stop({ timeoutMs: 10_000 });
    held.release();
    await stopping;
    const statuses = await Promise.all(volumes.map(async ({ id }) => (await store.volumes.get(id))!.status));
    assert.ok(statuses.includes('creating') && statuses.includes('available'), statuses.join(' '));
    for (const [index, { id }] of volumes.entries()) {
      if (statuses[index] === 'creating') assert.deepEqual(await store.operations.history(id, 10), []);
    }
    await start();
    for (const { id } of volumes) await statusBecomes(id, 'available');
  });
});
