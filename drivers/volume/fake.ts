/**
 * A complete volume driver that stores nothing: the template for new drivers, and the backend of tests that are about
 * something else. It keeps a table of names and sizes in memory, or in a small JSON file so that it survives a restart.
 * Copy it, and replace `change` by what your storage does.
 */
import { readFile } from 'node:fs/promises';
import {
  type DriverContext,
  type DriverObject,
  type DriverSnapshot,
  type DriverVolume,
  defineDriver,
  failpoint,
  failure,
  option,
  type VolumeDriver,
  writeFileAtomically,
} from '#driver';

const options = {
  fake_capacity_gb: option.integer(null, 'GiB that the fake backend holds; unlimited when not set.', { min: 0 }),
  fake_state_file: option.string(
    null,
    'File in which the fake backend keeps its table, so that a restart finds it again; memory alone when not set.',
  ),
  fake_fail: option.list([], 'Methods that fail, such as createVolume: for tests of what happens then.'),
} as const;

export const fakeDriver = defineDriver({ name: 'fake', options, open: openFake });

interface FakeObject {
  readonly kind: DriverObject['kind'];
  readonly sizeGb: number;
}
type Table = ReadonlyMap<string, FakeObject>;

function openFake({ backend, options: settings, log }: DriverContext<typeof options>): VolumeDriver {
  let table: Table = new Map();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change at a time; it is in the table only when it is in the file. `edit` answers null where nothing is to do. */
  function change(method: string, edit: (table: Table) => Table | null): Promise<void> {
    const turn = queue.then(async () => {
      if (settings.fake_fail.includes(method)) {
        throw failure('VolumeBackendAPIException', { reason: `${method} fails because fake_fail names it.` });
      }
      failpoint(`fake.${method}.before`);
      const next = edit(table);
      if (next === null) return;
      if (settings.fake_state_file !== null) {
        await writeFileAtomically(settings.fake_state_file, `${JSON.stringify([...next], null, 1)}\n`);
      }
      table = next;
      failpoint(`fake.${method}.after`);
      log.debug({ method, objects: table.size }, 'fake backend changed');
    });
    // The next change waits for this one, and does not care how it ended.
    queue = turn.catch(() => {});
    return turn;
  }

  const put = (method: string, volume: DriverVolume, needs: Needs | null) =>
    change(method, (now) => {
      if (now.get(volume.name)?.kind === 'volume') return null;
      if (needs !== null) requireObject(now, needs);
      requireRoom(now, volume.sizeGb);
      return new Map([...now, [volume.name, { kind: 'volume', sizeGb: volume.sizeGb }]]);
    });
  const drop = (method: string, name: string) =>
    change(method, (now) => (now.has(name) ? new Map([...now].filter(([key]) => key !== name)) : null));
  function requireRoom(now: Table, requestedGb: number): void {
    if (settings.fake_capacity_gb === null) return;
    const freeGb = settings.fake_capacity_gb - provisionedGb(now);
    if (requestedGb > freeGb) throw failure('BackendFull', { freeGb, requestedGb });
  }

  return {
    async setUp() {
      await change('setUp', () => null);
      if (settings.fake_state_file !== null) table = await readTable(settings.fake_state_file);
    },
    createVolume: (volume) => put('createVolume', volume, null),
    createVolumeFromSnapshot: (volume, snapshot) =>
      put('createVolumeFromSnapshot', volume, { kind: 'snapshot', ...snapshot }),
    createClonedVolume: (volume, source) => put('createClonedVolume', volume, { kind: 'volume', ...source }),
    deleteVolume: (volume) => drop('deleteVolume', volume.name),
    extendVolume: (volume, newSizeGb) =>
      change('extendVolume', (now) => {
        const { sizeGb } = requireObject(now, { kind: 'volume', ...volume });
        if (sizeGb >= newSizeGb) return null;
        requireRoom(now, newSizeGb - sizeGb);
        return new Map([...now, [volume.name, { kind: 'volume', sizeGb: newSizeGb }]]);
      }),
    createSnapshot: (snapshot: DriverSnapshot) =>
      change('createSnapshot', (now) => {
        if (now.get(snapshot.name)?.kind === 'snapshot') return null;
        const { sizeGb } = requireObject(now, { kind: 'volume', ...snapshot.volume });
        requireRoom(now, sizeGb);
        return new Map([...now, [snapshot.name, { kind: 'snapshot', sizeGb }]]);
      }),
    deleteSnapshot: (snapshot) => drop('deleteSnapshot', snapshot.name),
    async devicePath(volume) {
      requireObject(table, { kind: 'volume', ...volume });
      // Nothing is behind it: only the fake target takes such a path.
      return `/dev/fake/${volume.name}`;
    },
    async stats() {
      const capacityGb = settings.fake_capacity_gb;
      const usedGb = provisionedGb(table);
      return {
        vendorName: 'Ashlar',
        driverVersion: '1.0.0',
        pools: [
          {
            name: backend,
            total: capacityGb === null ? { kind: 'infinite' } : { kind: 'known', gb: capacityGb },
            free: capacityGb === null ? { kind: 'infinite' } : { kind: 'known', gb: capacityGb - usedGb },
            provisionedGb: usedGb,
            thinProvisioning: false,
            thickProvisioning: true,
            totalVolumes: [...table.values()].filter((object) => object.kind === 'volume').length,
            extra: {},
          },
        ],
      };
    },
    poolOf: async (volume) => (table.has(volume.name) ? backend : null),
    list: async () => [...table].map(([name, { kind, sizeGb }]) => ({ name, kind, sizeBytes: sizeGb * 1024 ** 3 })),
  };
}

interface Needs {
  readonly kind: DriverObject['kind'];
  readonly id: string;
  readonly name: string;
}

/** What something is made from has to be there. */
function requireObject(table: Table, { kind, id, name }: Needs): FakeObject {
  const object = table.get(name);
  if (object?.kind === kind) return object;
  throw failure(kind === 'volume' ? 'VolumeNotFound' : 'SnapshotNotFound', { id });
}

function provisionedGb(table: Table): number {
  return [...table.values()].reduce((sum, object) => sum + object.sizeGb, 0);
}

async function readTable(path: string): Promise<Table> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  return new Map(JSON.parse(text) as [string, FakeObject][]);
}
