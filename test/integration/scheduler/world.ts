/** A scheduler on a real store, and what stands around it in a test. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../../src/db/store.ts';
import type { Operation } from '../../../src/model/operation.ts';
import type { Volume } from '../../../src/model/volume.ts';
import { SCHEDULER_TOPIC } from '../../../src/rpcapi/requests.ts';
import { createSchedulerManager, type SchedulerManager } from '../../../src/scheduler/manager.ts';
import type { SchedulerOptions } from '../../../src/scheduler/options.ts';
import { recorderLog } from '../../support/recorder-log.ts';
import { defaultOptions, wireReport } from '../../unit/scheduler/support.ts';

export type World = ReturnType<typeof createWorld>;

export function createWorld(store: Store) {
  const woken: Operation[] = [];
  const log = recorderLog();
  const managers: SchedulerManager[] = [];

  function scheduler(options: Partial<SchedulerOptions> = {}, over: Store = store): SchedulerManager {
    const manager = createSchedulerManager({
      store: over,
      operations: { wake: async (operation) => void woken.push(operation) },
      // Unless a test is about the start, it is long ago.
      options: { ...defaultOptions, scheduler_driver_init_wait_time: 0, ...options },
      log,
    });
    managers.push(manager);
    return manager;
  }

  const host = (name: string) => `${name}@lvm`;

  async function service(name: string, availabilityZone = 'nova') {
    return await store.services.register({
      host: host(name),
      binary: 'cinder-volume',
      topic: 'cinder-volume',
      availabilityZone,
      rpcCurrentVersion: '3.18',
      objectCurrentVersion: '1.39',
      disabledOnCreate: false,
    });
  }

  async function type(extraSpecs: Record<string, string> = {}) {
    const created = await store.types.insert({ id: randomUUID(), name: `type-${randomUUID()}`, extraSpecs });
    return created;
  }

  async function operation(volumeId: string, method: string, args: Record<string, unknown>): Promise<string> {
    const id = randomUUID();
    await store.operations.record({
      id,
      resourceType: 'volume',
      resourceId: volumeId,
      method,
      arguments: args,
      requestId: `req-${randomUUID()}`,
      userId: 'user',
      projectId: 'project',
      owner: SCHEDULER_TOPIC,
    });
    return id;
  }

  async function volume(changes: Partial<Volume> = {}): Promise<Volume> {
    const volumeTypeId = changes.volumeTypeId ?? (await type()).id;
    return await store.volumes.insert({ id: randomUUID(), sizeGb: 1, status: 'creating', ...changes, volumeTypeId });
  }

  return {
    store,
    log,
    woken,
    host,
    scheduler,
    service,
    type,
    operation,
    volume,
    /** A volume in `creating` and its recorded request. */
    async request(
      changes: Partial<Volume> = {},
      args: Record<string, unknown> = {},
    ): Promise<{ readonly volumeId: string; readonly operationId: string }> {
      const { id: volumeId } = await volume(changes);
      const operationId = await operation(volumeId, 'create_volume', {
        source: { kind: 'blank' },
        pinnedHost: null,
        availabilityZone: null,
        excludedHosts: [],
        ...args,
      });
      return { volumeId, operationId };
    },
    /** What the volume service of that name reports now. */
    report: (name: string, pool: Record<string, unknown> = {}) =>
      wireReport(pool, { host: host(name), timestamp: new Date().toISOString().replace('Z', '000') }),
    /** What the volume service does in the end. */
    async finish(operationId: string): Promise<void> {
      const { owner } = (await store.operations.get(operationId))!;
      await store.operations.claim(operationId, owner, 'volume-service');
      if (!(await store.operations.finish(operationId, 'volume-service', { state: 'done' }))) throw new Error('fenced');
    },
    async stop(): Promise<void> {
      await Promise.all(managers.map((manager) => manager.stop()));
      await store.close();
    },
  };
}
