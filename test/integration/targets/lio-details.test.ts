/** What is particular to LIO, beyond the obligations of every target; with the kernel's initiator at the other end. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, rm, rmdir, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { lioTarget } from '../../../drivers/target/lio/index.ts';
import type { ExportRequest, Target } from '../../../src/driver/target.ts';
import { connect, connector, newRequest, withoutChap } from '../../suites/target.ts';
import { byVerbs } from '../../support/by-verbs.ts';
import { loginOf, tryLogin } from '../../support/initiator.ts';
import {
  discover,
  loginWithKernel,
  logoutKernel,
  type MutualLogin,
  ownName,
  readDisk,
  writeDisk,
} from '../../support/kernel-initiator.ts';
import { LIO_ROOT, type LioBed, missingLio, openLioBed } from '../../support/lio-bed.ts';
import { openTarget } from '../../support/open-target.ts';

const missing = missingLio();
const run = promisify(execFile);

describe('target lio in particular', { skip: missing ?? false }, () => {
  let bed: LioBed;
  let target: Target;
  before(async () => {
    bed = await openLioBed('block');
    await mkdir('/etc/rtslib-fb-target', { recursive: true });
    target = await bed.open();
  });
  after(() => bed?.close());
  afterEach(async () => {
    const left = await bed.state();
    // So that one failure does not become many.
    if (left.length > 0) await run('targetctl', ['clear']);
    if (left.length > 0) await rm(bed.saveconfig, { force: true });
    assert.deepEqual(left, [], 'the test has left something behind');
  });
  const iqnOf = ({ volume }: ExportRequest) => `iqn.2010-10.org.openstack:${volume.name}`;
  const groupOf = (request: ExportRequest) => `${LIO_ROOT}/iscsi/${iqnOf(request)}/tpgt_1`;

  /** What our own kernel's initiator connects with. */
  async function connectKernel(from: Target, request: ExportRequest): Promise<MutualLogin> {
    const initiator = await ownName();
    const exported = await from.createExport(request);
    const given = { ...exported, chap: request.chap };
    return loginOf((await from.initializeConnection(request.volume, given, { initiator })).data);
  }

  test('the kernel logs in, and what it writes is on the device; a wrong password, and none, are refused', async () => {
    const request = newRequest(await bed.makeDevice());
    const login = await connectKernel(target, request);
    await assert.rejects(loginWithKernel({ ...login, auth_password: 'wrong-password' }), /authorization failure/);
    await assert.rejects(loginWithKernel(withoutChap(login)), /authorization failure/);
    const disk = await loginWithKernel(login);
    const bytes = randomBytes(1 << 20);
    await writeDisk(disk, bytes);
    assert.deepEqual(await readDisk(disk, bytes.length), bytes);
    assert.deepEqual(await readDisk(request.devicePath, bytes.length), bytes);

    // Grown underneath: shown without a new login.
    const [loop, file] = [await realpath(request.devicePath), request.devicePath.replace(/device-(\d+)-.*/, 'disk-$1')];
    await truncate(file, 2 * 2 ** 30);
    await run('losetup', ['--set-capacity', loop]);
    await target.createExport({ ...request, volume: { ...request.volume, sizeGb: 2 } });
    await run('iscsiadm', ['--mode', 'session', '--rescan']);
    assert.equal((await run('blockdev', ['--getsize64', disk])).stdout.trim(), String(2 * 2 ** 30));
    await logoutKernel(login);
    await target.removeExport(request.volume);
  });

  test('only who was let in sees it and comes in, until he is let out', async () => {
    const request = newRequest(await bed.makeDevice());
    const login = await connect(target, request);
    assert.equal(await tryLogin(login), 'ok');
    assert.equal(await tryLogin({ ...login, initiator: 'iqn.2004-10.com.example:stranger' }), 'refused');
    assert.doesNotMatch(await discover(login.target_portal), /volume-/);
    const initiator = await ownName();
    await target.initializeConnection(
      request.volume,
      { providerLocation: await locationOf(request), chap: request.chap },
      { initiator },
    );
    assert.match(await discover(login.target_portal), new RegExp(request.volume.name));
    await target.terminateConnection(request.volume, { initiator });
    assert.doesNotMatch(await discover(login.target_portal), /volume-/);
    assert.equal(await tryLogin(login), 'ok', 'the other one keeps his right');
    await target.terminateConnection(request.volume, null);
    assert.equal(await tryLogin(login), 'refused');
    await target.removeExport(request.volume);
  });

  const locationOf = async (request: ExportRequest) => (await target.createExport(request)).providerLocation;

  test('mutual CHAP: the target proves itself to who asks; with another password it is not believed', async () => {
    const own = { mutual_chap_username: 'the-target', mutual_chap_password: 'targets-password' };
    const mutual = await bed.openWith(own);
    const request = newRequest(await bed.makeDevice());
    const login = await connectKernel(mutual, request);
    assert.equal(login.mutual_auth_password, own.mutual_chap_password);
    const { mutual_auth_username: _name, mutual_auth_password: _password, ...oneWay } = login;
    await loginWithKernel(oneWay);
    await logoutKernel(oneWay);
    await assert.rejects(loginWithKernel({ ...login, mutual_auth_password: 'somebody-elses' }));
    await loginWithKernel(login);
    await logoutKernel(login);
    await mutual.removeExport(request.volume);
  });

  test('the system brings it back from the saved file, and nothing is left to do', async () => {
    const requests = [newRequest(await bed.makeDevice()), newRequest(await bed.makeDevice(), { chap: null })];
    const logins = [await connect(target, requests[0]!), await connect(target, requests[1]!)];
    assert.equal((await stat(bed.saveconfig)).mode & 0o777, 0o600);
    const before = await bed.state();
    await run('targetctl', ['clear']);
    assert.notDeepEqual(await bed.state(), before);
    await run('targetctl', ['restore', bed.saveconfig]);
    for (const login of logins) assert.equal(await tryLogin(login), 'ok');
    const lines = bed.log.records.length;
    await target.ensureExports(requests);
    assert.deepEqual(bed.log.records.slice(lines), [], 'nothing was left to do');
    const { stdout } = await run('targetcli', ['ls'], { env: { ...process.env, HOME: '/root' } });
    for (const part of ['block', requests[0]!.volume.name, connector.initiator, '127.0.0.1', 'lun0']) {
      assert.ok(stdout.includes(part), `targetcli shows ${part}:\n${stdout}`);
    }
    for (const { volume } of requests) await target.removeExport(volume);
  });

  test('everything lost: made again with all who are connected by the request', async () => {
    const request = newRequest(await bed.makeDevice());
    const login = await connect(target, request);
    const before = await bed.state();
    await run('targetctl', ['clear']);
    await rm(bed.saveconfig);
    const results = await target.ensureExports([{ ...request, connectors: [connector] }]);
    assert.ok(!(results.get(request.volume.id) instanceof Error));
    assert.deepEqual(await bed.state(), before);
    assert.equal(await tryLogin(login), 'ok');
    await target.removeExport(request.volume);
  });

  const damages: Record<string, (group: string) => Promise<unknown>> = {
    disabled: (group) => writeFile(`${group}/enable`, '0'),
    'demo mode on': (group) => writeFile(`${group}/attrib/generate_node_acls`, '1'),
    'no password asked for': (group) => writeFile(`${group}/attrib/authentication`, '0'),
    'another password': (group) => writeFile(`${group}/acls/${connector.initiator}/auth/password`, 'x'),
    'unit not mapped': (group) => unlink(`${group}/acls/${connector.initiator}/lun_0/unit`),
    'no portal': async (group) => rmdir(`${group}/np/127.0.0.1:${bed.port}`),
    'another portal group': (group) => mkdir(group.replace('tpgt_1', 'tpgt_7')),
    'unit taken away': async (group) => {
      await unlink(`${group}/acls/${connector.initiator}/lun_0/unit`);
      await unlink(`${group}/lun/lun_0/storage`);
    },
    'half a second unit': (group) => mkdir(`${group}/lun/lun_5`),
  };
  for (const [damage, harm] of Object.entries(damages)) {
    test(`mends: ${damage}`, async () => {
      const request = newRequest(await bed.makeDevice());
      const login = await connect(target, request);
      const state = await bed.state();
      await harm(groupOf(request));
      await target.ensureExports([request]);
      assert.deepEqual(await bed.state(), state);
      assert.equal(await tryLogin(login), 'ok');
      await harm(groupOf(request));
      await target.removeExport(request.volume);
    });
  }

  test('what others have in LIO and in the file stays', async () => {
    const device = await bed.makeDevice();
    await run('targetcli', ['/backstores/block', 'create', 'others', await realpath(device)]);
    await run('targetctl', ['save', bed.saveconfig]);
    const before = await bed.state();
    const request = newRequest(await bed.makeDevice());
    await target.createExport(request);
    await target.removeExport(request.volume);
    assert.deepEqual(await bed.state(), before);
    assert.match(await readFile(bed.saveconfig, 'utf8'), /"others"/);
    await run('targetctl', ['clear']);
    await rm(bed.saveconfig);
  });

  test('a service without rights: the same by the helper’s verbs, and its filters allow each', async () => {
    const executor = byVerbs({ backing: '/var/tmp/[A-Za-z0-9/-]+|/tmp/[A-Za-z0-9/-]+' });
    const values = { target_ip_address: '127.0.0.1', target_port: bed.port };
    const unprivileged = await openTarget(lioTarget, values, bed.log, executor);
    const request = newRequest(await bed.makeDevice());
    const login = await connect(unprivileged, request);
    assert.equal(await tryLogin(login), 'ok');
    const state = await bed.state();
    await unprivileged.ensureExports([request]);
    assert.deepEqual(await bed.state(), state);
    await unprivileged.terminateConnection(request.volume, connector);
    assert.equal(await tryLogin(login), 'refused');
    await assert.rejects(unprivileged.createExport({ ...request, devicePath: '/dev/vda' }), /no filter allows/);
    await unprivileged.removeExport(request.volume);
    assert.ok(executor.asked.every((words) => !words.includes(request.chap!.password)));
    const saved = await readFile('/etc/rtslib-fb-target/saveconfig.json', 'utf8');
    assert.doesNotMatch(saved, new RegExp(request.volume.name));
  });

  test('a file that is not targetcli’s is left alone, and said', async () => {
    await writeFile(bed.saveconfig, 'not JSON');
    const request = newRequest(await bed.makeDevice());
    await assert.rejects(target.createExport(request), /Move it away/);
    assert.equal(await readFile(bed.saveconfig, 'utf8'), 'not JSON');
    await rm(bed.saveconfig);
    await target.removeExport(request.volume);
  });

  test('an object that rtslib made, of the same name, is taken over', async () => {
    const request = newRequest(await bed.makeDevice());
    const device = await realpath(request.devicePath);
    await run('targetcli', ['/backstores/block', 'create', iqnOf(request), device]);
    await target.createExport({ ...request, devicePath: device });
    assert.deepEqual(await target.list(), [request.volume.name]);
    await target.removeExport(request.volume);
  });
});
