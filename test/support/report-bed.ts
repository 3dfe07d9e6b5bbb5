/** A whole small deployment in this process, to be asked what it does: real database, API and command line, a backend that can be made to fail. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../../src/cmd/local/postgres.ts';
import { openDatabase } from '../../src/db/connection.ts';
import { dbSync } from '../../src/db/migrate.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import type { Store } from '../../src/db/store.ts';
import { createSchedulerRpc, createVolumeRpc } from '../../src/rpc/clients.ts';
import { createInquiryRpc } from '../../src/rpc/inquiry.ts';
import { createMemoryTransport } from '../../src/rpc/memory.ts';
import type { Transport } from '../../src/rpc/transport.ts';
import { type SchedulerOptions, schedulerOptions } from '../../src/scheduler/options.ts';
import { startSchedulerService } from '../../src/scheduler/service.ts';
import { createOperationRpc } from '../../src/service/peers/operation-rpc.ts';
import { describeProcess } from '../../src/service/report.ts';
import { startVolumeService, type VolumeService } from '../../src/volume/service.ts';
import { run } from '../integration/cli/run.ts';
import { eventually } from './node-process.ts';
import { silentLog } from './postgres.ts';
import { openTestApi, PROJECT } from './test-api.ts';
import { blankCreate, defaultsOf, openVolumeBed, SERVICE_HOST, type VolumeBed } from './volume-bed.ts';

export type ReportBed = Awaited<ReturnType<typeof openReportBed>>;

export type Effect = () => Promise<void>;

export interface ReportBedOptions {
  /** In place of the memory's; the bed closes it. */
  readonly transport?: Transport;
  /** The volume service runs in another process, which the test starts. */
  readonly serviceElsewhere?: true;
}

export async function openReportBed(options: ReportBedOptions = {}) {
  const stateDir = await mkdtemp('/dev/shm/ashlar-pg-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-pg-')));
  const server = await startEmbeddedPostgres({ stateDir, log: silentLog });
  const database = openDatabase({ connection: server.connection });
  await dbSync(database);
  const store = createStore(database);
  const volumeBed = await openVolumeBed(store, { capacityGb: 100 });
  const { log, faults } = volumeBed;
  const effects = new Map<string, Effect>();
  const level = { level: 'info', setLevel: () => {}, failedWrites: () => 0 } as const;
  const forget = describeProcess({ version: '0.0.0', role: 'test', config: () => [], log: level });
  const transport = options.transport ?? createMemoryTransport();

  const startService = () => startBedService({ store, transport, bed: volumeBed, effects });
  const scheduler = await startSchedulerService({
    store,
    transport,
    host: 'node',
    options: defaultsOf(schedulerOptions) as unknown as SchedulerOptions,
    availabilityZone: 'nova',
    reportIntervalMs: 500,
    enableNewServices: true,
    log,
  });
  let service: VolumeService | null = options.serviceElsewhere === true ? null : await startService();
  await service?.firstState;
  const timeoutMs = 10_000;
  const api = openTestApi({
    store,
    operations: createOperationRpc({ transport, store, log }),
    scheduler: createSchedulerRpc(transport, { timeoutMs }),
    volume: createVolumeRpc(transport, { timeoutMs }),
    inquiry: createInquiryRpc(transport),
  });
  const root = await api.listen();
  const env = { ASHLAR_ENDPOINT: `${root}/v3`, ASHLAR_PROJECT: PROJECT, ASHLAR_TOKEN: 'admin' };

  async function ashlar(...argv: readonly string[]): Promise<string> {
    const { code, out, err } = await run(argv, { env });
    if (code !== 0) throw new Error(`ashlar ${argv.join(' ')} ended with ${code}: ${err}`);
    return out;
  }

  const bed = {
    store,
    log,
    /** The API's own. */
    apiLog: api.log,
    transport,
    faults,
    /** What another process connects to. */
    connection: server.connection,
    project: PROJECT,
    ashlar,
    why: (name: string) => ashlar('why', name),
    whyJson: async (name: string) => JSON.parse(await ashlar('why', name, '--json')),
    report: () => ashlar('report'),
    /** A real HTTP request below the project. */
    async request(method: string, path: string, body?: unknown, token = 'admin') {
      const reply = await fetch(`${root}/v3/${PROJECT}${path}`, {
        method,
        headers: {
          'x-auth-token': token,
          'openstack-api-version': 'volume 3.70',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await reply.text();
      const requestId = reply.headers.get('x-openstack-request-id') ?? '';
      return { status: reply.status, requestId, body: text === '' ? {} : JSON.parse(text) };
    },
    async createVolume(name: string, size = 1): Promise<{ id: string; requestId: string }> {
      const reply = await bed.request('POST', '/volumes', { volume: { size, name } });
      if (reply.status !== 202) throw new Error(JSON.stringify(reply.body));
      return { id: reply.body.volume.id, requestId: reply.requestId };
    },
    /** A volume that waits for its volume service; its id. */
    async placedVolume(displayName: string): Promise<string> {
      const { id } = await volumeBed.insertVolume({ displayName });
      await volumeBed.record('create_volume', id, blankCreate);
      return id;
    },
    /** Returns when nothing is under way about the volume. */
    settled: (id: string) =>
      eventually('the operations to end', async () => {
        const history = await store.operations.historyOfVolume(id, 50);
        return history.length > 0 && history.every(({ finishedAt }) => finishedAt !== null) ? true : undefined;
      }),
    /** From now on that method of driver and target does this instead; null: what it always does. */
    instead(method: string, effect: Effect | null) {
      if (effect === null) effects.delete(method);
      else effects.set(method, effect);
    },
    stopService: async () => await service?.stop({ timeoutMs: 2000 }),
    async restartService(between: () => Promise<void> = async () => {}) {
      await service?.stop({ timeoutMs: 2000 });
      await between();
      service = await startService();
      await service.firstState;
    },
    /** Scrapes until the text fits. */
    eventuallyScraped: (scrape: () => Promise<string>, pattern: RegExp) =>
      eventually(`${pattern} in the metrics`, async () => {
        const text = await scrape();
        return pattern.test(text) ? text : undefined;
      }),
    stopDatabase: () => server.stop(),
    async close() {
      forget();
      effects.clear();
      await api.close();
      await service?.stop({ timeoutMs: 2000 });
      await scheduler.stop({ timeoutMs: 2000 });
      await transport.close();
      await store.close();
      await server.stop();
      await sleep(0);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
  return bed;
}

/** The volume service of the bed, also in a process of its own. */
export function startBedService(parts: {
  readonly store: Store;
  readonly transport: Transport;
  readonly bed: VolumeBed;
  readonly effects: ReadonlyMap<string, Effect>;
}): Promise<VolumeService> {
  const { store, transport, bed, effects } = parts;
  return startVolumeService({
    store,
    transport,
    driver: withEffects(bed.driver, effects),
    target: withEffects(bed.target, effects),
    serviceHost: SERVICE_HOST,
    backendName: 'fake',
    volumeBackendName: 'fake',
    availabilityZone: 'nova',
    reservedPercentage: 0,
    maxOverSubscriptionRatio: 1,
    volumeNameTemplate: 'volume-%s',
    snapshotNameTemplate: 'snapshot-%s',
    reportIntervalMs: 500,
    statsIntervalMs: 60_000,
    enableNewServices: true,
    concurrency: 4,
    maxAttempts: 3,
    maxRetryPauseMs: 60_000,
    log: bed.log,
  });
}

function withEffects<T extends object>(object: T, effects: ReadonlyMap<string, Effect>): T {
  return new Proxy(object, {
    get(from, name) {
      const value: unknown = Reflect.get(from, name);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      return async (...args: unknown[]) => {
        await effects.get(name)?.();
        return await value.apply(from, args);
      };
    },
  });
}
