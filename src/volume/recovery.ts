/** What a volume service does when it starts, before it takes requests: exports first, then what a crash interrupted. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../db/store.ts';
import type { ExportRequest } from '../driver/target.ts';
import { forEachBounded } from '../lib/bounded.ts';
import type { Logger } from '../log/logger.ts';
import { poolName } from '../model/backend.ts';
import { isFailure, messageOf } from '../model/errors.ts';
import type { NewOperation } from '../model/operation.ts';
import type { Volume } from '../model/volume.ts';
import { exportRequest } from './export.ts';
import type { VolumeManager } from './manager.ts';
import type { Backend } from './operation.ts';

const PAGE = 500;
/** How many operations are recovered side by side; one resource's are kept in order by their locks. */
const RECOVERY_WIDTH = 8;

export interface RecoveryReport {
  readonly volumes: number;
  readonly exported: number;
  readonly exportsFailed: number;
  readonly operations: number;
}

export async function recover(options: {
  readonly store: Store;
  readonly backend: Backend;
  readonly backendName: string;
  readonly manager: VolumeManager;
  readonly log: Logger;
}): Promise<RecoveryReport> {
  const { store, backend, log } = options;
  const wanted: Volume[] = [];
  const interrupted: Volume[] = [];
  let volumes = 0;
  for await (const volume of volumesOf(store, backend.serviceHost)) {
    volumes += 1;
    if (volume.host !== null && poolName(volume.host) === null) await assignPool(options, volume);
    if (volume.status === 'creating' || volume.status === 'deleting') interrupted.push(volume);
    else if (volume.providerLocation !== null) wanted.push(volume);
  }
  const exports = await ensureExports(options, wanted);
  for (const volume of interrupted) await adopt(store, backend.serviceHost, volume);
  const operations = await recoverOperations(options);
  const report = { volumes, ...exports, operations };
  log.info({ ...report }, 'start-up recovery done');
  return report;
}

/**
 * Takes up every unfinished operation of this backend. `staleOnly`: only those that were recorded a while ago and that
 * nobody works on, which is what a lost wake-up or a lost database connection leaves.
 */
export async function recoverOperations(
  { store, backend, manager, log }: { store: Store; backend: Backend; manager: VolumeManager; log: Logger },
  olderThanMs = 0,
): Promise<number> {
  const unfinished = await store.operations.listUnfinished(backend.serviceHost, 10_000);
  const now = Date.now();
  const due = unfinished.filter(({ createdAt }) => now - createdAt.getTime() >= olderThanMs);
  // Per resource in the order of the requests: a create before the delete that followed it.
  const byResource = Map.groupBy(due, ({ resourceId }) => resourceId);
  await forEachBounded(byResource.values(), RECOVERY_WIDTH, async (queue) => {
    for (const operation of queue) {
      try {
        await manager.perform(operation.id, { recovering: true });
      } catch (error) {
        if (isFailure(error, 'ConnectionFailed')) throw error;
        log.warn(
          {
            operation: operation.id,
            method: operation.method,
            resource: operation.resourceId,
            reason: messageOf(error),
          },
          'recovered operation ended in a failure',
        );
      }
    }
  });
  return due.length;
}

/** Repairs every export of the backend: for a target daemon that lost them while we ran. */
export async function restoreExports(options: { store: Store; backend: Backend; log: Logger }): Promise<void> {
  const wanted: Volume[] = [];
  for await (const volume of volumesOf(options.store, options.backend.serviceHost)) {
    if (volume.providerLocation !== null && volume.status !== 'deleting') wanted.push(volume);
  }
  const result = await ensureExports(options, wanted);
  options.log.info({ ...result }, 'exports compared and repaired');
}

/** In-use first: their users are waiting for the disk. A failure leaves the volume's status alone. */
async function ensureExports(
  { store, backend, log }: { store: Store; backend: Backend; log: Logger },
  volumes: readonly Volume[],
): Promise<{ exported: number; exportsFailed: number }> {
  const ordered = volumes.toSorted((a, b) => Number(b.status === 'in-use') - Number(a.status === 'in-use'));
  const requests: ExportRequest[] = [];
  let exportsFailed = 0;
  const failed = (volumeId: string, error: unknown) => {
    exportsFailed += 1;
    log.error({ volume: volumeId, reason: messageOf(error) }, 'volume is not exported; the next start tries again');
  };
  for (const volume of ordered) {
    await exportRequest(backend, volume).then(
      (request) => requests.push(request),
      (error: unknown) => failed(volume.id, error),
    );
  }
  const results = await backend.target.ensureExports(requests);
  let exported = 0;
  for (const volume of ordered) {
    const result = results.get(volume.id);
    if (result === undefined) continue;
    if (result instanceof Error) {
      failed(volume.id, result);
      continue;
    }
    exported += 1;
    if (result.providerLocation === volume.providerLocation) continue;
    log.warn(
      { volume: volume.id, location: result.providerLocation },
      'export has moved; initiators log in again there',
    );
    await store.volumes.updateIf(volume.id, {}, { providerLocation: result.providerLocation });
  }
  return { exported, exportsFailed };
}

/** Rows of an older configuration have no pool: the driver knows it, or the backend's name stands for it. */
async function assignPool(
  { store, backend, backendName }: { store: Store; backend: Backend; backendName: string },
  volume: Volume,
): Promise<void> {
  const pool = (await backend.driver.poolOf(await backend.toDriverVolume(volume))) ?? backendName;
  await store.volumes.updateIf(volume.id, { host: volume.host }, { host: `${backend.serviceHost}#${pool}` });
}

/** A row left in the middle by a service that keeps no operation record gets one, so that it comes to an end. */
async function adopt(store: Store, serviceHost: string, volume: Volume): Promise<void> {
  const known = await store.operations.history(volume.id, 20);
  if (known.some(({ state }) => state === 'queued' || state === 'running')) return;
  const record: Omit<NewOperation, 'method' | 'arguments'> = {
    id: randomUUID(),
    resourceType: 'volume',
    resourceId: volume.id,
    requestId: `req-${randomUUID()}`,
    userId: volume.userId,
    projectId: volume.projectId,
    owner: serviceHost,
  };
  if (volume.status === 'deleting') {
    const args = { force: false, cascade: false };
    await store.operations.record({ ...record, method: 'delete_volume', arguments: args });
    return;
  }
  const source = sourceOf(volume);
  const args = { source, pinnedHost: volume.host, availabilityZone: volume.availabilityZone, excludedHosts: [] };
  await store.operations.record({ ...record, method: 'create_volume', arguments: args });
}

function sourceOf(volume: Volume): Record<string, unknown> {
  if (volume.snapshotId !== null) return { kind: 'snapshot', snapshotId: volume.snapshotId };
  if (volume.sourceVolumeId !== null) return { kind: 'volume', volumeId: volume.sourceVolumeId };
  return { kind: 'blank' };
}

async function* volumesOf(store: Store, serviceHost: string): AsyncGenerator<Volume> {
  let after: string | null = null;
  while (true) {
    const page: Volume[] = await store.volumes.listByBackend(serviceHost, after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}
