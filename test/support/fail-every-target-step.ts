import assert from 'node:assert/strict';
import type { ExportRequest, Target } from '../../src/driver/target.ts';
import { armFailpoints } from '../../src/lib/failpoint.ts';
import { connect, newChap, newRequest, type TargetBed, withoutChap } from '../suites/target.ts';
import { tryLogin } from './initiator.ts';

interface Scene {
  readonly request: ExportRequest;
  /** The same volume with another password. */
  readonly changed: ExportRequest;
}

interface Method {
  readonly prepare: (target: Target, scene: Scene) => Promise<unknown>;
  readonly act: (target: Target, scene: Scene) => Promise<unknown>;
  /** What must be exported when it has succeeded. */
  readonly after: (scene: Scene) => ExportRequest | null;
}

const methods = {
  createExport: {
    prepare: async () => {},
    act: (target, { request }) => target.createExport(request),
    after: ({ request }) => request,
  },
  'change of the password': {
    // Some targets keep the password with those whom they let in.
    prepare: (target, { request }) => connect(target, request),
    act: (target, { changed }) => target.createExport(changed),
    after: ({ changed }) => changed,
  },
  removeExport: {
    prepare: (target, { request }) => target.createExport(request),
    act: (target, { request }) => target.removeExport(request.volume),
    after: () => null,
  },
} as const satisfies Record<string, Method>;

/**
 * Finds out which fail points a method passes, then fails at each in turn, "restarts" and does it again (it must succeed,
 * and nothing be doubled) or gives up and removes (nothing may stay behind). In between nobody gets in without a password.
 */
export async function failEveryTargetStep(
  bed: TargetBed,
  name: keyof typeof methods,
  withInitiator: boolean,
): Promise<void> {
  const method: Method = methods[name];
  const points = await pointsOf(bed, method);
  assert.ok(points.length > 0, 'the method passes no fail point, so this proves nothing');
  for (const { point, hit } of points) {
    for (const then of ['again', 'give up'] as const) {
      const where = `${name} failed at ${point} (hit ${hit}), then ${then}`;
      const scene = await newScene(bed);
      const { volume } = scene.request;
      const before = await bed.open();
      await method.prepare(before, scene);
      armFailpoints({ actions: new Map([[point, { hit, action: 'throw' }]]) });
      try {
        await assert.rejects(async () => method.act(before, scene), /fail point/, where);
      } finally {
        armFailpoints(undefined);
      }
      if (withInitiator) assert.equal(await tryLogin(await strangerTo(bed, scene)), 'refused', where);

      const target = await bed.open();
      const wanted = method.after(scene);
      if (then === 'again') {
        await method.act(target, scene);
        assert.deepEqual(await target.list(), wanted === null ? [] : [volume.name], where);
        if (wanted !== null && withInitiator) {
          const login = await connect(target, wanted);
          assert.equal(await tryLogin(login), 'ok', where);
          assert.equal(await tryLogin(withoutChap(login)), 'refused', where);
        }
      }
      await target.removeExport(volume);
      assert.deepEqual(await bed.state(), [], where);
    }
  }
}

/** What somebody connects with who knows no password. */
async function strangerTo(bed: TargetBed, { request }: Scene) {
  const target = await bed.open();
  const probe = newRequest(await bed.makeDevice());
  const login = await connect(target, probe);
  await target.removeExport(probe.volume);
  return { ...withoutChap(login), target_iqn: login.target_iqn.replace(probe.volume.name, request.volume.name) };
}

async function newScene(bed: TargetBed): Promise<Scene> {
  const request = newRequest(await bed.makeDevice());
  return { request, changed: { ...request, chap: { ...request.chap!, password: newChap().password } } };
}

/** The points that the method passes when nothing fails, each with its hit number. */
async function pointsOf(bed: TargetBed, method: Method) {
  const scene = await newScene(bed);
  const target = await bed.open();
  await method.prepare(target, scene);
  const hits = new Map<string, number>();
  const points: { readonly point: string; readonly hit: number }[] = [];
  const trace = (point: string) => {
    const hit = (hits.get(point) ?? 0) + 1;
    hits.set(point, hit);
    points.push({ point, hit });
  };
  armFailpoints({ actions: new Map(), trace });
  try {
    await method.act(target, scene);
  } finally {
    armFailpoints(undefined);
  }
  await target.removeExport(scene.request.volume);
  return points;
}
