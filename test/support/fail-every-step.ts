import assert from 'node:assert/strict';
import type { DriverSnapshot, DriverVolume, VolumeDriver } from '../../src/driver/driver.ts';
import { armFailpoints } from '../../src/lib/failpoint.ts';
import { newVolume, type SuiteBackend, snapshotOf } from './volume-driver-lane.ts';

export interface StepTools {
  readonly withBytes: boolean;
  /** GiB of each volume. */
  readonly unitGb: number;
  /** Programs that only read: stopping around them is stopping after the effect before them, so it is left out. */
  readonly readers: readonly string[];
  readonly write: (driver: VolumeDriver, volume: DriverVolume, fill: number) => Promise<void>;
  readonly assertFilled: (driver: VolumeDriver, volume: DriverVolume, fill: number) => Promise<void>;
}

/** What a method works on, fresh for every attempt. */
interface Scene {
  readonly source: DriverVolume;
  readonly snapshot: DriverSnapshot;
  readonly made: DriverVolume;
}

type FillSource = (driver: VolumeDriver, scene: Scene, byte?: number) => Promise<void>;

interface Method {
  readonly prepare: (driver: VolumeDriver, scene: Scene, fill: FillSource) => Promise<void>;
  readonly act: (driver: VolumeDriver, scene: Scene) => Promise<void>;
  /** What is on the backend when it has succeeded, of the scene. */
  readonly after: (scene: Scene) => readonly string[];
  /** The volume whose bytes must be the source's then. */
  readonly copy: ((scene: Scene) => DriverVolume) | null;
}

const makeSource: Method['prepare'] = async (driver, scene, fill) => {
  await driver.createVolume(scene.source);
  await fill(driver, scene);
};
const makeSnapshot: Method['prepare'] = async (driver, scene, fill) => {
  await makeSource(driver, scene, fill);
  await driver.createSnapshot(scene.snapshot);
};

const methods = {
  createVolume: {
    prepare: async () => {},
    act: (driver, { made }) => driver.createVolume(made),
    after: ({ made }) => [made.name],
    copy: null,
  },
  extendVolume: {
    prepare: makeSource,
    act: (driver, { source }) => driver.extendVolume(source, 2 * source.sizeGb),
    after: ({ source }) => [source.name],
    copy: ({ source }) => source,
  },
  deleteVolume: {
    prepare: makeSource,
    act: (driver, { source }) => driver.deleteVolume(source),
    after: () => [],
    copy: null,
  },
  createSnapshot: {
    prepare: makeSource,
    act: (driver, { snapshot }) => driver.createSnapshot(snapshot),
    after: ({ source, snapshot }) => [source.name, snapshot.name],
    copy: ({ source }) => source,
  },
  deleteSnapshot: {
    prepare: makeSnapshot,
    act: (driver, { snapshot }) => driver.deleteSnapshot(snapshot),
    after: ({ source }) => [source.name],
    copy: ({ source }) => source,
  },
  createVolumeFromSnapshot: {
    prepare: makeSnapshot,
    act: (driver, { made, snapshot }) => driver.createVolumeFromSnapshot(made, snapshot),
    after: ({ source, snapshot, made }) => [source.name, snapshot.name, made.name],
    copy: ({ made }) => made,
  },
  createClonedVolume: {
    prepare: makeSource,
    act: (driver, { source, made }) => driver.createClonedVolume(made, source),
    after: ({ source, made }) => [source.name, made.name],
    copy: ({ made }) => made,
  },
  revertToSnapshot: {
    prepare: async (driver, scene, fill) => {
      await makeSnapshot(driver, scene, fill);
      await fill(driver, scene, OTHER);
    },
    act: (driver, { source, snapshot }) => driver.revertToSnapshot!(source, snapshot),
    after: ({ source, snapshot }) => [source.name, snapshot.name],
    copy: ({ source }) => source,
  },
  maintain: {
    prepare: async (driver, scene, fill) => {
      await makeSource(driver, scene, fill);
      await driver.deleteVolume(scene.source);
    },
    act: async (driver) => {
      await maintain(driver);
    },
    after: () => [],
    copy: null,
  },
} as const satisfies Record<string, Method>;

const FILL = 0x5a;
const OTHER = 0x77;
const MAINTAIN_LIMIT_MS = 120_000;

/**
 * Finds out which fail points a method passes, then fails at each in turn, "restarts" and either does the method again
 * (it must succeed) or gives up and deletes (nothing may stay behind).
 */
export async function failEveryStep(
  backend: SuiteBackend,
  name: keyof typeof methods,
  { withBytes, unitGb, readers, write, assertFilled }: StepTools,
): Promise<void> {
  const method: Method = methods[name];
  const fill: FillSource = async (driver, { source }, byte = FILL) => {
    if (withBytes) await write(driver, source, byte);
  };
  const isReader = (point: string) => readers.some((reader) => point.startsWith(`exec.${reader}.`));
  const points = (await pointsOf(backend, method, fill, newScene(unitGb))).filter(({ point }) => !isReader(point));
  assert.ok(points.length > 0, 'the method passes no fail point, so this proves nothing');
  let driver = await backend.reopen();
  for (const { point, hit } of points) {
    for (const then of ['again', 'give up'] as const) {
      const where = `${name} failed at ${point} (hit ${hit}), then ${then}`;
      const scene = newScene(unitGb);
      await method.prepare(driver, scene, fill);
      armFailpoints({ actions: new Map([[point, { hit, action: 'throw' }]]) });
      try {
        await assert.rejects(method.act(driver, scene), (error) => error instanceof Error, where);
      } finally {
        armFailpoints(undefined);
      }
      driver = await backend.reopen();
      if (then === 'again') {
        await method.act(driver, scene);
        assert.deepEqual(await namesOf(driver), [...method.after(scene)].sort(), where);
        if (withBytes && method.copy !== null) await assertFilled(driver, method.copy(scene), FILL);
      }
      await removeAll(driver, scene);
      assert.deepEqual(await driver.list(), [], where);
      await maintain(driver);
    }
  }
}

/** The points that the method passes when nothing fails, each with its hit number. */
async function pointsOf(backend: SuiteBackend, method: Method, fill: FillSource, scene: Scene) {
  await method.prepare(backend.driver, scene, fill);
  const hits = new Map<string, number>();
  const points: { readonly point: string; readonly hit: number }[] = [];
  const trace = (point: string) => {
    const hit = (hits.get(point) ?? 0) + 1;
    hits.set(point, hit);
    points.push({ point, hit });
  };
  armFailpoints({ actions: new Map(), trace });
  try {
    await method.act(backend.driver, scene);
  } finally {
    armFailpoints(undefined);
  }
  await removeAll(backend.driver, scene);
  await maintain(backend.driver);
  return points;
}

function newScene(sizeGb: number): Scene {
  const source = newVolume(sizeGb);
  return { source, snapshot: snapshotOf(source), made: newVolume(sizeGb) };
}

/** What a service does in the background: space comes back only then. */
export async function maintain(driver: VolumeDriver): Promise<void> {
  await driver.maintain?.(AbortSignal.timeout(MAINTAIN_LIMIT_MS));
}

async function removeAll(driver: VolumeDriver, { source, snapshot, made }: Scene): Promise<void> {
  await driver.deleteVolume(made);
  await driver.deleteSnapshot(snapshot);
  await driver.deleteVolume(source);
}

async function namesOf(driver: VolumeDriver): Promise<string[]> {
  return (await driver.list()).map((object) => object.name).sort();
}
