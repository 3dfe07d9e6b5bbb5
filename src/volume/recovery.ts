/**
 * What a volume service does when it starts: exports first, then what a crash interrupted. And what it looks for later:
 * operations that nobody works on, exports that a target daemon lost.
 */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { KeyedLock } from '../coordination/keyed-lock.ts';
import type { Store } from '../db/store.ts';
import type { ExportRequest } from '../driver/target.ts';
import { forEachBounded } from '../lib/bounded.ts';
import { measure } from '../lib/measure.ts';
import type { Logger } from '../log/logger.ts';
import { poolName } from '../model/backend.ts';
import { messageOf } from '../model/errors.ts';
import type { NewOperation, Operation } from '../model/operation.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { volumeTransitions } from '../model/status.ts';
import { userMessageOf } from '../model/user-message.ts';
import type { Volume } from '../model/volume.ts';
import type { OperationMethod, RequestArguments, requestArguments } from '../rpcapi/requests.ts';
import { exportRequest } from './export.ts';
import { isInterruption } from './interruption.ts';
import type { VolumeManager } from './manager.ts';
import type { Backend } from './operation.ts';
import { connectionMethods } from './operations/index.ts';

const PAGE = 500;
/** How many operations are recovered side by side; one resource's are kept in order by their locks. */
const RECOVERY_WIDTH = 8;
/** Operations that are looked at: at a start, and in one sweep. The sweeps find the rest. */
const RECOVERY_LIMIT = 10_000;
const SWEEP_LIMIT = 1000;
/** Volumes whose row or device is asked for at the same time. */
const LOOKUP_WIDTH = 8;

export interface RecoveryOptions {
  readonly store: Store;
  readonly backend: Backend;
  readonly manager: VolumeManager;
  readonly log: Logger;
  /** True where the request for a row may still wait in a queue: then the row alone does not say what was asked for. */
  readonly requestsMayWait?: boolean;
}

export interface RecoveryReport {
  readonly volumes: number;
  readonly exported: number;
  readonly exportsFailed: number;
  /** Unfinished ones that were found. */
  readonly operations: number;
}

/**
 * What has to be over before requests are taken: exports, and the connections that were being made or ended, which no
 * status guards against a request that comes meanwhile. The rest may take long (a copy) and is left to
 * `recoverOperations`.
 */
export async function recover(options: RecoveryOptions & { readonly backendName: string }): Promise<RecoveryReport> {
  const { store, backend, log } = options;
  const wanted: Volume[] = [];
  const interrupted: Volume[] = [];
  let volumes = 0;
  for await (const volume of pagesOf(store.volumes, backend.serviceHost)) {
    volumes += 1;
    if (volume.host !== null && poolName(volume.host) === null) await assignPool(options, volume);
    if (['creating', 'downloading', 'deleting'].includes(volume.status)) interrupted.push(volume);
    else if (volume.providerLocation !== null) wanted.push(volume);
  }
  const exports = await ensureExports(options, wanted);
  for (const volume of interrupted) await adoptVolume(options, volume);
  for await (const snapshot of pagesOf(store.snapshots, backend.serviceHost)) {
    if (snapshot.status === 'creating' || snapshot.status === 'deleting') await adoptSnapshot(options, snapshot);
  }
  const unfinished = await store.operations.listUnfinished(backend.serviceHost, RECOVERY_LIMIT);
  const connections = unfinished.filter(({ method }) => connectionMethods.has(method));
  await performInOrder(options, connections);
  const report = { volumes, ...exports, operations: unfinished.length };
  log.info({ ...report }, 'exports and connections recovered');
  return report;
}

/** At a start: takes up every unfinished operation of this backend; whoever had them is gone. */
export async function recoverOperations(options: RecoveryOptions): Promise<number> {
  const { store, backend } = options;
  const unfinished = await store.operations.listUnfinished(backend.serviceHost, RECOVERY_LIMIT);
  await performInOrder(options, unfinished);
  return unfinished.length;
}

/**
 * While it runs: takes up what a lost wake-up or a lost database connection left. An operation that another worker has
 * claimed is its own, however long it takes.
 */
export async function sweepOperations(options: RecoveryOptions, lostAfterMs: number): Promise<number> {
  const { store, backend, manager } = options;
  const unfinished = await store.operations.listUnfinished(backend.serviceHost, SWEEP_LIMIT);
  const now = Date.now();
  const lost = unfinished.filter(({ id, state, createdAt }) => {
    if (manager.isInFlight(id)) return false;
    return manager.wasCutOff(id) || (state === 'queued' && now - createdAt.getTime() >= lostAfterMs);
  });
  await performInOrder(options, lost);
  return lost.length;
}

/** Side by side over resources, and per resource in the order of the requests: a create before the delete after it. */
async function performInOrder({ manager, log }: RecoveryOptions, operations: readonly Operation[]): Promise<void> {
  const byResource = Map.groupBy(operations, ({ resourceId }) => resourceId);
  await forEachBounded(byResource.values(), RECOVERY_WIDTH, async (queue) => {
    for (const { id, method, resourceId } of queue) {
      await manager.perform(id, { recovering: true }).catch((error: unknown) => {
        const fields = { operation: id, method, resource: resourceId, reason: messageOf(error) };
        log.warn(fields, 'recovered operation ended in a failure, or is taken up again');
      });
    }
  });
}

/**
 * Repairs every export of the backend: for a target daemon that lost them while we ran. Who detached at the same moment
 * may have had his export made again, so each is looked at once more, under its lock, after those who hold it; that
 * part is `settled`.
 */
export async function restoreExports(
  options: RecoveryOptions & { readonly locks: KeyedLock },
): Promise<{ readonly settled: Promise<void> }> {
  const { store, backend, locks, log } = options;
  const wanted: Volume[] = [];
  for await (const volume of pagesOf(store.volumes, backend.serviceHost)) {
    if (volume.providerLocation !== null && volume.status !== 'deleting') wanted.push(volume);
  }
  const result = await ensureExports(options, wanted);
  log.info({ ...result }, 'exports compared and repaired');
  const removeIfStale = async (id: string) => {
    const volume = await store.volumes.get(id, { deleted: true });
    if (volume === null || (!volume.deleted && volume.providerLocation !== null)) return;
    await backend.target.removeExport(await backend.toDriverVolume(volume));
  };
  const settled = forEachBounded(wanted, LOOKUP_WIDTH, ({ id }) =>
    locks.withKeys([`volume:${id}`], () => removeIfStale(id)),
  ).catch((error: unknown) => {
    log.error(
      { reason: messageOf(error) },
      'exports not looked at again; one may be left of a volume that was detached',
    );
  });
  return { settled };
}

/** In-use first: their users are waiting for the disk. A failure leaves the volume's status alone. */
async function ensureExports(
  { store, backend, log }: { store: Store; backend: Backend; log: Logger },
  volumes: readonly Volume[],
): Promise<{ exported: number; exportsFailed: number }> {
  const ordered = volumes.toSorted((a, b) => Number(b.status === 'in-use') - Number(a.status === 'in-use'));
  const requests: (ExportRequest | undefined)[] = ordered.map(() => undefined);
  let exportsFailed = 0;
  const failed = (volumeId: string, error: unknown) => {
    exportsFailed += 1;
    log.error({ volume: volumeId, reason: messageOf(error) }, 'volume is not exported; the next start tries again');
  };
  await forEachBounded(ordered.entries(), LOOKUP_WIDTH, async ([index, volume]) => {
    requests[index] = await exportRequest(store, backend, volume).catch((error: unknown) => {
      if (isInterruption(error)) throw error;
      failed(volume.id, error);
      return undefined;
    });
  });
  const results = await backend.target.ensureExports(requests.filter((request) => request !== undefined));
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
  measure({ what: 'drift', service: backend.serviceHost, exports: exportsFailed });
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
async function adoptVolume(options: RecoveryOptions, volume: Volume): Promise<void> {
  const { store, requestsMayWait = false } = options;
  const { serviceHost } = options.backend;
  const { status, host, availabilityZone } = volume;
  if (status === 'deleting') {
    const snapshots = await store.snapshots.list({ projectId: null, filters: { volumeId: volume.id } });
    const cascade = snapshots.length > 0 && snapshots.every((snapshot) => snapshot.status === 'deleting');
    await adopt(store, serviceHost, 'volume', volume, 'delete_volume', { force: false, cascade });
    return;
  }
  const source = sourceOf(volume);
  // A volume from an image looks blank here: only the message says, and where a peer has begun with it, nobody does.
  if (status === 'downloading' || (requestsMayWait && source.kind === 'blank')) {
    if (status === 'downloading' || (await store.peers.wasBegun(volume.id))) await giveUp(store, volume);
    return;
  }
  const args = { source, pinnedHost: host, availabilityZone, excludedHosts: [] };
  await adopt(store, serviceHost, 'volume', volume, 'create_volume', args);
}

/** What a peer began and did not end, and nobody here can: its users are told. */
async function giveUp(store: Store, { id, status, projectId }: Volume): Promise<void> {
  const known = await store.operations.history(id, 20);
  if (known.some(({ state }) => state === 'queued' || state === 'running')) return;
  const failed = { method: 'create_volume', resourceType: 'volume', resourceId: id, arguments: {} } as const;
  await store.transaction(async (tx) => {
    if ((await tx.volumes.updateIf(id, { status }, { status: volumeTransitions.create.failed })) === null) return;
    const requestId = `req-${randomUUID()}`;
    await tx.peers.addMessage(userMessageOf({ ...failed, errorCode: null }), { projectId, requestId });
  });
}

async function adoptSnapshot({ store, backend }: RecoveryOptions, snapshot: Snapshot): Promise<void> {
  const { volumeId } = snapshot;
  // The volume's own delete takes its snapshots with it.
  if ((await store.volumes.get(volumeId))?.status === 'deleting') return;
  const method = snapshot.status === 'creating' ? 'create_snapshot' : 'delete_snapshot';
  await adopt(store, backend.serviceHost, 'snapshot', snapshot, method, { volumeId });
}

async function adopt<M extends OperationMethod>(
  store: Store,
  owner: string,
  resourceType: NewOperation['resourceType'],
  { id: resourceId, userId, projectId }: Pick<Volume, 'id' | 'userId' | 'projectId'>,
  method: M,
  args: z.input<(typeof requestArguments)[M]>,
): Promise<void> {
  const known = await store.operations.history(resourceId, 20);
  if (known.some(({ state }) => state === 'queued' || state === 'running')) return;
  const request = { requestId: `req-${randomUUID()}`, userId, projectId };
  await store.operations.record({
    id: randomUUID(),
    resourceType,
    resourceId,
    method,
    arguments: args,
    owner,
    ...request,
  });
}

function sourceOf(volume: Volume): RequestArguments<'create_volume'>['source'] {
  if (volume.snapshotId !== null) return { kind: 'snapshot', snapshotId: volume.snapshotId };
  if (volume.sourceVolumeId !== null) return { kind: 'volume', volumeId: volume.sourceVolumeId };
  return { kind: 'blank' };
}

interface Paged<Row> {
  listByBackend(serviceHost: string, afterId: string | null, limit: number): Promise<Row[]>;
}

async function* pagesOf<Row extends { readonly id: string }>(rows: Paged<Row>, host: string): AsyncGenerator<Row> {
  let after: string | null = null;
  while (true) {
    const page: Row[] = await rows.listByBackend(host, after, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}
