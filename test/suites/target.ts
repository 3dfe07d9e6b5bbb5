/** The obligations of src/driver/target.ts as tests: every target runs them, test/integration/targets/*.test.ts. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import type { ChapCredentials, ExportRequest, Target } from '../../src/driver/target.ts';
import { isFailure } from '../../src/model/errors.ts';
import { failEveryTargetStep } from '../support/fail-every-target-step.ts';
import {
  type IscsiLogin,
  inquire,
  loginOf,
  openSession,
  readPattern,
  tryLogin,
  writePattern,
} from '../support/initiator.ts';
import type { RecorderLog } from '../support/recorder-log.ts';

/** A place to export from, empty at first. */
export interface TargetBed {
  /** A target object, set up; another one is what a restart of the service makes. */
  open(): Promise<Target>;
  /** A new device that reads as zeros and holds at least a GiB; `name` becomes part of its path. */
  makeDevice(name?: string): Promise<string>;
  /** Everything that is there for exports, one line each, files included; nothing when nothing is exported. */
  state(): Promise<readonly string[]>;
  /** What all target objects have logged. */
  readonly log: RecorderLog;
  close(): Promise<void>;
}

export interface TargetLane {
  openBed(): Promise<TargetBed>;
  /** true, or why nobody can log in. Skipped tests are counted. */
  readonly initiator: true | string;
  /** The logical unit's number. Default 1. */
  readonly lun?: number;
  /** Default: as initiator. Logging in at every step takes long where everything does. */
  readonly initiatorAtEveryStep?: boolean;
  readonly everyStepLimitMs?: number;
  /** Nobody listens any more where the last export was. */
  readonly portalGoesWithExport?: boolean;
}

export const connector = {
  initiator: 'iqn.2004-10.com.example:one',
  nqn: 'nqn.2014-08.com.example:one',
  host: 'compute-1',
  ip: '127.0.0.1',
} as const;

/** A request for a volume that nobody has seen yet. */
export function newRequest(devicePath: string, changes: Partial<ExportRequest> = {}): ExportRequest {
  const id = randomUUID();
  const volume = { id, name: `volume-${id}`, sizeGb: 1, pool: null, providerId: null, extraSpecs: {} };
  return { volume, devicePath, chap: newChap(), ...changes };
}

export function newChap(): ChapCredentials {
  return { username: randomBytes(10).toString('hex'), password: randomBytes(12).toString('base64url') };
}

/** Exports and answers what an initiator is told. */
export async function connect(target: Target, request: ExportRequest): Promise<IscsiLogin> {
  const exported = await target.createExport(request);
  const chap = request.chap;
  return loginOf(
    (await target.initializeConnection(request.volume, { ...exported, chap }, connector)).data,
    connector.initiator,
  );
}

export function withoutChap({ auth_username: _name, auth_password: _password, ...login }: IscsiLogin): IscsiLogin {
  return login;
}

/** A target says at level info when it has changed something. */
function isAboutChange({ level }: { readonly level: string }): boolean {
  return level === 'info';
}

export function targetSuite(name: string, lane: TargetLane): void {
  const initiator = lane.initiator === true ? {} : { skip: lane.initiator };

  describe(`target ${name}`, () => {
    let bed: TargetBed;
    let target: Target;
    before(async () => {
      bed = await lane.openBed();
      target = await bed.open();
    });
    after(() => bed?.close());
    afterEach(async () => {
      assert.deepEqual(await bed.state(), [], 'the test has left something behind');
    });

    test('says how to connect', async () => {
      const request = newRequest(await bed.makeDevice());
      const exported = await target.createExport(request);
      assert.match(exported.providerLocation, /^\S+:\d+(;\S+:\d+)*,\d+ iqn\.\S+ \d+$/);
      const { volume, chap } = request;
      const info = await target.initializeConnection(volume, { ...exported, chap }, connector);
      assert.equal(info.driver_volume_type, 'iscsi');
      const { target_portal, target_iqn, ...others } = info.data;
      assert.ok(exported.providerLocation.startsWith(String(target_portal)));
      assert.equal(exported.providerLocation.split(' ')[1], target_iqn);
      assert.deepEqual(others, {
        target_discovered: false,
        target_lun: lane.lun ?? 1,
        volume_id: volume.id,
        auth_method: 'CHAP',
        auth_username: chap!.username,
        auth_password: chap!.password,
      });
      await assert.rejects(target.initializeConnection(volume, { ...exported, chap }, { host: 'x' }), (error) =>
        isFailure(error, 'InvalidConnector'),
      );
      await target.terminateConnection(volume, connector);
      await target.removeExport(volume);
    });

    test('a repetition changes nothing, after a restart of the service either', async () => {
      const request = newRequest(await bed.makeDevice());
      const first = await target.createExport(request);
      const state = await bed.state();
      assert.ok(state.length > 0);
      const { records } = bed.log;
      const lines = records.filter(isAboutChange).length;
      assert.deepEqual(await target.createExport(request), first);
      const restarted = await bed.open();
      assert.deepEqual(await restarted.createExport(request), first);
      assert.deepEqual(await restarted.ensureExports([request]), new Map([[request.volume.id, first]]));
      assert.deepEqual(await bed.state(), state);
      assert.equal(records.filter(isAboutChange).length, lines, 'nothing was left to do');
      assert.deepEqual(await restarted.list(), [request.volume.name]);
      await restarted.removeExport(request.volume);
    });

    test('removing what is not there succeeds, and removing again', async () => {
      const request = newRequest(await bed.makeDevice());
      await target.removeExport(request.volume);
      await target.createExport(request);
      await target.removeExport(request.volume);
      await target.removeExport(request.volume);
      assert.deepEqual(await target.list(), []);
    });

    test('removing one leaves the others', async () => {
      const [kept, gone] = [newRequest(await bed.makeDevice()), newRequest(await bed.makeDevice())];
      await target.createExport(kept);
      const state = await bed.state();
      await target.createExport(gone);
      await target.removeExport(gone.volume);
      assert.deepEqual(await bed.state(), state);
      await target.removeExport(kept.volume);
    });

    test('20 at the same time, then all of them away', async () => {
      const requests = await Promise.all(Array.from({ length: 20 }, async () => newRequest(await bed.makeDevice())));
      const records = await Promise.all(requests.map((request) => target.createExport(request)));
      assert.equal(new Set(records.map(({ providerLocation }) => providerLocation)).size, 20);
      assert.deepEqual((await target.list()).toSorted(), requests.map(({ volume }) => volume.name).toSorted());
      await Promise.all(requests.map(({ volume }) => target.removeExport(volume)));
    });

    test('ensureExports makes what is missing and answers for each', async () => {
      const requests = await Promise.all(Array.from({ length: 5 }, async () => newRequest(await bed.makeDevice())));
      await target.createExport(requests[1]!);
      const results = await target.ensureExports(requests);
      assert.deepEqual([...results.keys()].toSorted(), requests.map(({ volume }) => volume.id).toSorted());
      for (const result of results.values()) assert.ok(!(result instanceof Error));
      assert.deepEqual((await target.list()).toSorted(), requests.map(({ volume }) => volume.name).toSorted());
      assert.deepEqual(await target.ensureExports([]), new Map());
      for (const { volume } of requests) await target.removeExport(volume);
    });

    for (const method of ['createExport', 'change of the password', 'removeExport'] as const) {
      test(
        `fails at every step of ${method}, and goes on after it`,
        { timeout: lane.everyStepLimitMs ?? 120_000 },
        () => failEveryTargetStep(bed, method, lane.initiatorAtEveryStep ?? lane.initiator === true),
      );
    }

    test('the right password reads and writes; a wrong one, and none, are refused', initiator, async () => {
      const request = newRequest(await bed.makeDevice());
      const login = await connect(target, request);
      assert.equal(await writePattern(login, 0x5a), 'ok');
      assert.equal(await readPattern(login, 0x5a), 'ok');
      assert.equal(await tryLogin({ ...login, auth_password: 'wrong-password-1' }), 'refused');
      assert.equal(await tryLogin({ ...login, auth_username: 'somebody' }), 'refused');
      assert.equal(await tryLogin(withoutChap(login)), 'refused');
      await target.removeExport(request.volume);
      const gone = await tryLogin(login).catch(() => 'unreachable');
      assert.ok(gone === 'refused' || (gone === 'unreachable' && lane.portalGoesWithExport === true), gone);
    });

    test('without credentials in the request, none are asked for', initiator, async () => {
      const request = newRequest(await bed.makeDevice(), { chap: null });
      const login = await connect(target, request);
      assert.equal(login.auth_username, undefined);
      assert.equal(await writePattern(login, 0x11), 'ok');
      await target.removeExport(request.volume);
    });

    test('a session stays through repetitions, and is cut by the removal', initiator, async () => {
      const request = newRequest(await bed.makeDevice());
      const login = await connect(target, request);
      const session = await openSession(login);
      try {
        assert.equal(await session.command('write -P 0x21 0 64k'), 'ok');
        await target.createExport(request);
        await (await bed.open()).ensureExports([request]);
        assert.equal(await session.command('write -P 0x22 64k 64k'), 'ok');
        await target.removeExport(request.volume);
        assert.equal(await session.command('write -P 0x23 0 64k', 700), 'lost');
      } finally {
        await session.close();
      }
      const again = await connect(target, request);
      assert.equal(await readPattern(again, 0x21), 'ok');
      assert.equal(await readPattern(again, 0x22, 65_536), 'ok');
      await target.removeExport(request.volume);
    });

    test('another password takes the place of the old one, and sessions go on', initiator, async () => {
      const request = newRequest(await bed.makeDevice());
      const old = await connect(target, request);
      const session = await openSession(old);
      try {
        for (const chap of [{ ...request.chap!, password: 'second-password' }, newChap()]) {
          const login = await connect(target, { ...request, chap });
          assert.equal(await tryLogin(login), 'ok');
          assert.equal(await tryLogin(old), 'refused');
          assert.equal(await tryLogin(withoutChap(login)), 'refused');
          assert.equal(await session.command('read -P 0 0 64k'), 'ok');
        }
      } finally {
        await session.close();
      }
      await target.removeExport(request.volume);
    });

    test('another device takes the place of a wrong one', initiator, async () => {
      const request = newRequest(await bed.makeDevice());
      assert.equal(await writePattern(await connect(target, request), 0x31), 'ok');
      const moved = { ...request, devicePath: await bed.makeDevice() };
      assert.equal(await readPattern(await connect(target, moved), 0), 'ok');
      await target.removeExport(request.volume);
    });

    test('serials: the same for a volume at every export, never the same for two', initiator, async () => {
      const [one, two] = [newRequest(await bed.makeDevice()), newRequest(await bed.makeDevice())];
      const first = await inquire(await connect(target, one));
      const second = await inquire(await connect(target, two));
      assert.notEqual(first.serial, second.serial);
      assert.notEqual(first.designators, second.designators);
      await target.removeExport(one.volume);
      await target.removeExport(two.volume);
      const again = await inquire(await connect(target, one));
      assert.deepEqual(again, first);
      await target.removeExport(one.volume);
    });

    test('a device path with blanks, quotes and shell characters', initiator, async () => {
      const request = newRequest(await bed.makeDevice(`a b'c"d$(e)#f;g&h\`i\\j é`));
      const login = await connect(target, request);
      assert.equal(await writePattern(login, 0x41), 'ok');
      const state = await bed.state();
      await (await bed.open()).createExport(request);
      assert.deepEqual(await bed.state(), state);
      assert.equal(await readPattern(login, 0x41), 'ok');
      await target.removeExport(request.volume);
    });

    test('a device that cannot be opened is an error for that volume alone', initiator, async () => {
      const [bad, good] = [newRequest('/nonexistent/device'), newRequest(await bed.makeDevice())];
      const results = await target.ensureExports([bad, good]);
      const error = results.get(bad.volume.id);
      assert.ok(isFailure(error, 'ExportFailure'));
      assert.match(error.message, /\/nonexistent\/device/);
      assert.ok(!(results.get(good.volume.id) instanceof Error));
      await target.removeExport(bad.volume);
      await target.removeExport(good.volume);
    });

    test('no password is in any log line or error', async () => {
      const request = newRequest(await bed.makeDevice(), {
        chap: { username: 'visible', password: 'hidden-secret-1' },
      });
      await target.createExport(request);
      await target.createExport({ ...request, chap: { username: 'visible', password: 'hidden-secret-2' } });
      await assert.rejects(
        (await bed.open()).initializeConnection(
          request.volume,
          { providerLocation: '', chap: { username: 'visible', password: 'hidden-secret-3' } },
          {},
        ),
        (error: Error) => !error.message.includes('hidden-secret'),
      );
      await target.removeExport(request.volume);
      assert.doesNotMatch(bed.log.text(), /hidden-secret/);
    });
  });
}
