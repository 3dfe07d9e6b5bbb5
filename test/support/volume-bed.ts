/** A volume service's parts on a real store, with a fake backend that can be made to fail: for tests of its operations. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { fakeTarget } from '../../drivers/target/fake.ts';
import { fakeDriver } from '../../drivers/volume/fake.ts';
import type { Options } from '../../src/config/options.ts';
import { createKeyedLock } from '../../src/coordination/keyed-lock.ts';
import type { Store } from '../../src/db/store.ts';
import type { VolumeDriver } from '../../src/driver/driver.ts';
import type { Target } from '../../src/driver/target.ts';
import { createLocalExecutor } from '../../src/exec/executor.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { NewVolume, Volume } from '../../src/model/volume.ts';
import type { OperationMethod, requestArguments } from '../../src/rpcapi/requests.ts';
import { createBackend } from '../../src/volume/backend.ts';
import { createVolumeManager, type VolumeManager } from '../../src/volume/manager.ts';
import { operations } from '../../src/volume/operations/index.ts';
import { createFaults } from './faults.ts';
import { recorderLog } from './recorder-log.ts';

export const SERVICE_HOST = 'node@fake';
export const POOL = `${SERVICE_HOST}#fake`;
export const CONNECTOR = { initiator: 'iqn.2004-10.com.example:one', host: 'client', ip: '127.0.0.1' };

const resourceTypes = {
  create_volume: 'volume',
  delete_volume: 'volume',
  extend_volume: 'volume',
  retype: 'volume',
  create_snapshot: 'snapshot',
  delete_snapshot: 'snapshot',
  attachment_update: 'attachment',
  attachment_delete: 'attachment',
  initialize_connection: 'volume',
  terminate_connection: 'volume',
  attach_volume: 'volume',
  detach_volume: 'volume',
} as const satisfies Record<OperationMethod, Operation['resourceType']>;

export type CreateArguments = z.input<(typeof requestArguments)['create_volume']>;

export const blankCreate: CreateArguments = {
  source: { kind: 'blank' },
  pinnedHost: POOL,
  availabilityZone: null,
  excludedHosts: [],
};

export type VolumeBed = Awaited<ReturnType<typeof openVolumeBed>>;

export async function openVolumeBed(store: Store, values: { readonly capacityGb?: number } = {}) {
  const log = recorderLog();
  const executor = createLocalExecutor({ log, privileged: 'root' });
  const open = { backend: 'fake', executor, log };
  const driverValues = { ...defaultsOf(fakeDriver.options), fake_capacity_gb: values.capacityGb ?? null };
  const targetValues = { ...defaultsOf(fakeTarget.options), target_ip_address: '127.0.0.1' };
  const bareDriver = fakeDriver.open({ ...open, options: driverValues });
  const bareTarget = fakeTarget.open({ ...open, options: targetValues });
  const faults = createFaults();
  const driver: VolumeDriver = faults.wrap('driver', bareDriver);
  const target: Target = faults.wrap('target', bareTarget);
  const names = { volumeNameTemplate: 'volume-%s', snapshotNameTemplate: 'snapshot-%s' };
  const backend = createBackend({ serviceHost: SERVICE_HOST, driver, target, store, ...names });
  const volumeTypeId = (await store.types.getByName('__DEFAULT__'))!.id;
  const rescheduled: Operation[] = [];
  const locks = createKeyedLock();

  const newManager = (differing: { readonly maxAttempts?: number; readonly store?: Store } = {}): VolumeManager =>
    createVolumeManager({
      store: differing.store ?? store,
      backend,
      operations,
      locks: createKeyedLock(),
      concurrency: 8,
      maxAttempts: differing.maxAttempts ?? 3,
      log,
      onCapacityChange() {},
      onReschedule: (operation) => void rescheduled.push(operation),
      onCutOff() {},
    });
  const manager = newManager();

  const bed = {
    store,
    log,
    faults,
    driver,
    target,
    backend,
    locks,
    manager,
    newManager,
    rescheduled,
    /** Records a request; its id. */
    async record<M extends OperationMethod>(
      method: M,
      resourceId: string,
      args: z.input<(typeof requestArguments)[M]>,
    ): Promise<string> {
      const id = randomUUID();
      const who = { requestId: `req-${id}`, userId: 'u', projectId: 'p' };
      const what = { resourceType: resourceTypes[method], resourceId, method, owner: SERVICE_HOST };
      await store.operations.record({ id, ...who, ...what, arguments: args });
      return id;
    },
    /** Records a request and performs it; its answer. */
    async ask<M extends OperationMethod>(
      method: M,
      resourceId: string,
      args: z.input<(typeof requestArguments)[M]>,
    ): Promise<unknown> {
      return manager.perform(await bed.record(method, resourceId, args));
    },
    async insertVolume(row: Partial<NewVolume> = {}): Promise<Volume> {
      const volume = { id: randomUUID(), sizeGb: 1, volumeTypeId, status: 'creating', projectId: 'p' } as const;
      return await store.volumes.insert({ ...volume, host: POOL, ...row });
    },
    /** A volume that is there. */
    async volume(row: Partial<NewVolume> = {}): Promise<string> {
      const { id } = await bed.insertVolume(row);
      await bed.ask('create_volume', id, blankCreate);
      return id;
    },
    async insertSnapshot(volumeId: string): Promise<string> {
      const id = randomUUID();
      const size = { volumeSizeGb: 1, volumeTypeId, projectId: 'p' };
      await store.snapshots.insert({ id, volumeId, status: 'creating', ...size });
      return id;
    },
    async snapshot(volumeId: string): Promise<string> {
      const id = await bed.insertSnapshot(volumeId);
      await bed.ask('create_snapshot', id, { volumeId });
      return id;
    },
    /** As the API does: the volume is reserved by an attachment. */
    async reserve(volumeId: string): Promise<string> {
      const id = randomUUID();
      await store.transaction(async (tx) => {
        await tx.volumes.lock(volumeId);
        await tx.attachments.insert({ id, volumeId, attachStatus: 'reserved' });
        await tx.volumes.updateIf(volumeId, { status: 'available' }, { status: 'reserved' });
      });
      return id;
    },
    async connect(volumeId: string, connector: object = CONNECTOR): Promise<string> {
      const id = await bed.reserve(volumeId);
      await bed.ask('attachment_update', id, { volumeId, connector: { ...connector } });
      return id;
    },
    /** What is on the backend and exported, by name; nothing here is counted as a call. */
    async leftovers(): Promise<string[]> {
      const objects = (await bareDriver.list()).map(({ name }) => name);
      const exports = (await bareTarget.list()).map((name) => `export of ${name}`);
      return [...objects, ...exports].sort();
    },
    /** Deletes every volume of the bed as an operator would, whatever became of it, and looks that nothing is left. */
    async clear(): Promise<void> {
      faults.clear();
      for (const volume of await store.volumes.list({ projectId: null })) {
        for (const { id } of await store.attachments.listByVolume(volume.id)) {
          await store.attachments.updateIf(id, {}, { attachStatus: 'detaching' });
          await bed.ask('attachment_delete', id, { volumeId: volume.id });
        }
      }
      for (const { id, volumeId } of await store.snapshots.list({ projectId: null })) {
        await store.snapshots.updateIf(id, {}, { status: 'deleting' });
        await bed.ask('delete_snapshot', id, { volumeId });
      }
      for (const { id, host } of await store.volumes.list({ projectId: null })) {
        if (host === null) {
          await store.volumes.updateIf(id, {}, { status: 'deleted', deleted: true });
          continue;
        }
        await store.volumes.updateIf(id, {}, { status: 'deleting' });
        await bed.ask('delete_volume', id, { force: false, cascade: false });
      }
      assert.deepEqual(await bed.leftovers(), [], 'left behind');
    },
  };
  return bed;
}

export function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
