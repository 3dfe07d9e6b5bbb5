/** An API on a real PostgreSQL whose wake-ups are recorded, and a worker that moves the rows when a test says so. */
import { randomBytes } from 'node:crypto';
import type { ApiOptions } from '../../../src/api/options.ts';
import type { Store } from '../../../src/db/store.ts';
import { failure } from '../../../src/model/errors.ts';
import type { Operation } from '../../../src/model/operation.ts';
import { startTestPostgres } from '../../support/postgres.ts';
import { type Caller, openTestApi, type TestApi, type TestReply } from '../../support/test-api.ts';

export const BACKEND = 'node@fake';
const POOL = `${BACKEND}#pool0`;

export interface Bed {
  readonly store: Store;
  readonly api: TestApi;
  /** What was handed on, in order. */
  readonly woken: readonly Operation[];
  /** While true, what is handed on is done at once, to the rows alone. */
  working: boolean;
  /** A project of its own, so that tests do not see each other's volumes and quotas. */
  project(): Project;
  close(): Promise<void>;
}

export interface Project {
  readonly id: string;
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, as?: Caller): Promise<TestReply>;
  /** Creates a volume and returns its id; available where the bed works. */
  volume(fields?: object): Promise<string>;
  snapshot(volumeId: string): Promise<string>;
  /** What was handed on about a resource: method, owner, arguments. */
  work(resourceId: string): readonly (readonly [string, string, unknown])[];
}

export async function openBed(options: Partial<ApiOptions> = {}): Promise<Bed> {
  const postgres = await startTestPostgres();
  const store = await postgres.freshStore();
  await registerBackend(store, BACKEND, 'nova');
  const woken: Operation[] = [];
  const unused = async () => {
    throw failure('Internal', { reason: 'this test does not ask other services' });
  };
  const api = openTestApi(
    {
      store,
      operations: {
        async wake(operation) {
          woken.push(operation);
          if (bed.working) await work(store, operation);
        },
        perform: unused,
      },
      scheduler: { getPools: async () => [] },
      volume: { getCapabilities: unused, freezeHost: unused, thawHost: unused },
    },
    options,
  );
  const bed: Bed = {
    store,
    api,
    woken,
    working: true,
    project: () => openProject(bed),
    async close() {
      await api.close();
      await store.close();
      await postgres.stop();
    },
  };
  return bed;
}

function openProject(bed: Bed): Project {
  const id = randomBytes(16).toString('hex');
  const project: Project = {
    id,
    call: (method, path, body, as) => bed.api.call(method, path, body, { project: id, ...as }),
    async volume(fields = {}) {
      const reply = await project.call('POST', '/volumes', { volume: { size: 1, ...fields } });
      if (reply.status !== 202) throw new Error(JSON.stringify(reply.body));
      return reply.body.volume.id;
    },
    async snapshot(volumeId) {
      const reply = await project.call('POST', '/snapshots', { snapshot: { volume_id: volumeId } });
      if (reply.status !== 202) throw new Error(JSON.stringify(reply.body));
      return reply.body.snapshot.id;
    },
    work: (resourceId) =>
      bed.woken
        .filter((operation) => operation.resourceId === resourceId)
        .map(({ method, owner, arguments: args }) => [method, owner, args]),
  };
  return project;
}

export async function registerBackend(store: Store, host: string, availabilityZone: string): Promise<number> {
  const { id } = await store.services.register({
    host,
    binary: 'cinder-volume',
    topic: 'cinder-volume',
    availabilityZone,
    rpcCurrentVersion: '3.17',
    objectCurrentVersion: '1.39',
    disabledOnCreate: false,
  });
  return id;
}

async function work(store: Store, { method, resourceId: id, arguments: args }: Operation): Promise<void> {
  const gone = { status: 'deleted', deleted: true, deletedAt: new Date() } as const;
  const { volumes, snapshots } = store;
  if (method === 'create_volume') {
    await volumes.updateIf(id, { status: 'creating' }, { status: 'available', host: POOL });
  } else if (method === 'extend_volume') {
    const sizeGb = args.newSizeGb as number;
    await volumes.updateIf(id, { status: 'extending' }, { status: 'available', sizeGb });
  } else if (method === 'delete_volume') {
    for (const snapshot of await snapshots.list({ projectId: null, filters: { volumeId: id } })) {
      await snapshots.updateIf(snapshot.id, {}, gone);
    }
    await volumes.updateIf(id, { status: 'deleting' }, gone);
  } else if (method === 'create_snapshot') {
    await snapshots.updateIf(id, { status: 'creating' }, { status: 'available', progress: '100%' });
  } else if (method === 'delete_snapshot') {
    await snapshots.updateIf(id, { status: 'deleting' }, gone);
  }
}
