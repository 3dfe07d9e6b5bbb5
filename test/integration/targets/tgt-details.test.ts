/** What is particular to tgt, beyond the obligations of every target. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createSocketTransport, socketPath } from '../../../drivers/target/tgt/control-socket.ts';
import { createDaemon } from '../../../drivers/target/tgt/daemon.ts';
import type { Target } from '../../../src/driver/target.ts';
import { armFailpoints } from '../../../src/lib/failpoint.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { connect, connector, newChap, newRequest, withoutChap } from '../../suites/target.ts';
import { iscsiUrl, openSession, qemuIo, readPattern, tryLogin, writePattern } from '../../support/initiator.ts';
import { openTgtBed, type TgtBed } from '../../support/tgt-bed.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const missing = missingTgtd();
if (missing !== null) throw new Error(`The tests of the target tgt need a tgtd, and ${missing}.`);

describe('target tgt in particular', () => {
  let bed: TgtBed;
  let target: Target;
  before(async () => {
    bed = await openTgtBed();
    target = await bed.open();
  });
  after(() => bed?.close());
  afterEach(async () => {
    assert.deepEqual(await bed.state(), [], 'the test has left something behind');
  });
  const tidOf = async (name: string) => {
    const found = (await bed.tgtd.targets()).find(({ iqn }) => iqn.endsWith(`:${name}`));
    return String(found!.tid);
  };

  test('a tgtd that forgot everything gets it all back', async () => {
    const requests = await Promise.all(Array.from({ length: 10 }, async () => newRequest(await bed.makeDevice())));
    await target.ensureExports(requests);
    const login = await connect(target, requests[3]!);
    await writePattern(login, 0x77);
    const state = await bed.state();
    await bed.tgtd.restart();
    assert.notDeepEqual(await bed.state(), state);
    const results = await target.ensureExports(requests);
    assert.deepEqual(
      [...results.values()].filter((result) => result instanceof Error),
      [],
    );
    assert.deepEqual(await bed.state(), state);
    assert.equal(await readPattern(login, 0x77), 'ok');
    for (const { volume } of requests) await target.removeExport(volume);
  });

  test('tgtd killed in the middle: each call ends, and the same calls again make each export once', async () => {
    const requests = await Promise.all(Array.from({ length: 16 }, async () => newRequest(await bed.makeDevice())));
    const kept = requests.slice(0, 8);
    await target.ensureExports(kept);
    let done = 0;
    const half = Promise.withResolvers<void>();
    const making = requests.slice(8).map((request) =>
      target.createExport(request).then(
        () => {
          done += 1;
          if (done === 3) half.resolve();
        },
        (error: unknown) => error,
      ),
    );
    await half.promise;
    await bed.tgtd.restart();
    for (const error of await Promise.all(making)) {
      assert.ok(
        error === undefined || isFailure(error, 'ConnectionFailed') || isFailure(error, 'ExportFailure'),
        String(error),
      );
    }
    for (const request of requests.slice(8)) await target.createExport(request);
    const results = await target.ensureExports(requests);
    assert.ok([...results.values()].every((result) => !(result instanceof Error)));
    assert.deepEqual((await target.list()).toSorted(), requests.map(({ volume }) => volume.name).toSorted());
    assert.equal((await bed.tgtd.targets()).length, requests.length);
    for (const { volume } of requests) await target.removeExport(volume);
  });

  test('tgt-admin makes the same export of the file', async () => {
    const settings = { iscsi_write_cache: 'off', iscsi_target_flags: 'sync:direct' };
    const request = newRequest(await bed.makeDevice('a (blank) name'));
    const special = await bed.openWith(settings);
    await special.createExport(request);
    const state = await bed.state();
    await bed.tgtd.restart();
    const config = join(bed.tgtd.directory, 'targets.conf');
    await writeFile(config, `include ${bed.volumesDir}/*\n`);
    const { controlPort, socket } = bed.tgtd.daemon;
    const env = { PATH: process.env.PATH, TGT_IPC_SOCKET: socket };
    await promisify(execFile)('tgt-admin', ['-C', String(controlPort), '-c', config, '-e'], { env, timeout: 20_000 });
    assert.deepEqual(await bed.state(), state);
    const { records } = bed.log;
    const lines = records.length;
    await special.createExport(request);
    assert.deepEqual(records.slice(lines), [], 'nothing was left to do');
    await special.removeExport(request.volume);
  });

  test('by name: only who is connected comes in; tgt-admin makes the same of the file', async () => {
    const named = await bed.openWith({ tgt_initiator_acl: true });
    const request = newRequest(await bed.makeDevice());
    const stranger = { ...(await connect(target, request)), initiator: 'iqn.2004-10.com.example:stranger' };
    assert.equal(await tryLogin(stranger), 'ok', 'without names the password is enough');
    const exported = { ...(await named.createExport(request)), chap: request.chap };
    const login = { ...stranger, initiator: connector.initiator };
    assert.equal(await tryLogin(login), 'refused');
    const file = join(bed.volumesDir, request.volume.name);
    await named.initializeConnection(request.volume, exported, connector);
    await named.initializeConnection(request.volume, exported, { initiator: 'iqn.2004-10.com.example:two' });
    assert.equal(await tryLogin(login), 'ok');
    assert.equal(await tryLogin(stranger), 'refused');
    const state = await bed.state();
    await bed.tgtd.restart();
    const config = join(bed.tgtd.directory, 'targets.conf');
    await writeFile(config, `include ${bed.volumesDir}/*\n`);
    const env = { PATH: process.env.PATH, TGT_IPC_SOCKET: bed.tgtd.daemon.socket };
    const argv = ['-C', String(bed.tgtd.daemon.controlPort), '-c', config, '-e'];
    await promisify(execFile)('tgt-admin', argv, { env, timeout: 20_000 });
    assert.deepEqual(await bed.state(), state);
    const lines = bed.log.records.length;
    await named.ensureExports([request]);
    assert.deepEqual(bed.log.records.slice(lines), [], 'nothing was left to do');

    await named.terminateConnection(request.volume, { initiator: 'iqn.2004-10.com.example:two' });
    assert.equal(await tryLogin({ ...login, initiator: 'iqn.2004-10.com.example:two' }), 'refused');
    assert.equal(await tryLogin(login), 'ok');

    // The file and tgtd's memory are gone: the request says who is connected.
    await bed.tgtd.restart();
    await rm(file);
    await named.ensureExports([{ ...request, connectors: [connector] }]);
    assert.equal(await tryLogin(login), 'ok');
    assert.equal(await tryLogin(stranger), 'refused');
    await named.terminateConnection(request.volume, null);
    assert.equal(await tryLogin(login), 'refused');
    await assert.rejects(named.initializeConnection(request.volume, exported, { initiator: 'x y' }), /initiator/);
    await named.removeExport(request.volume);
  });

  const damages: Record<string, (name: string, bedOf: TgtBed) => Promise<unknown>> = {
    'nobody let in': async (name, { tgtd }) =>
      tgtd.tgtadm('--op', 'unbind', '--mode', 'target', '--tid', await tidOf(name), '-I', 'ALL'),
    'others let in': async (name, { tgtd }) => {
      await tgtd.tgtadm('--op', 'bind', '--mode', 'target', '--tid', await tidOf(name), '-I', '192.0.2.0/24');
      await tgtd.tgtadm('--op', 'bind', '--mode', 'target', '--tid', await tidOf(name), '-Q', 'iqn.x:i');
      await tgtd.tgtadm('--op', 'unbind', '--mode', 'target', '--tid', await tidOf(name), '-I', 'ALL');
    },
    'its account taken away': async (name, { tgtd }) =>
      tgtd.tgtadm('--op', 'unbind', '--mode', 'account', '--tid', await tidOf(name), '--user', 'alice'),
    'its account deleted': (_, { tgtd }) => tgtd.tgtadm('--op', 'delete', '--mode', 'account', '--user', 'alice'),
    'another account given': async (name, { tgtd }) => {
      await tgtd.tgtadm('--op', 'new', '--mode', 'account', '--user', 'mallory', '--password', 'x');
      await tgtd.tgtadm('--op', 'bind', '--mode', 'account', '--tid', await tidOf(name), '--user', 'mallory');
    },
    'another serial': async (name, { tgtd }) => {
      const unit = ['--tid', await tidOf(name), '--lun', '1'];
      await tgtd.tgtadm('--op', 'update', '--mode', 'logicalunit', ...unit, '--params', 'scsi_sn=x');
    },
    'no logical unit': async (name, { tgtd }) =>
      tgtd.tgtadm('--op', 'delete', '--mode', 'logicalunit', '--tid', await tidOf(name), '--lun', '1'),
    'another device': async (name, { tgtd, makeDevice }) => {
      const unit = ['--tid', await tidOf(name), '--lun', '1'];
      await tgtd.tgtadm('--op', 'delete', '--mode', 'logicalunit', ...unit);
      await tgtd.tgtadm('--op', 'new', '--mode', 'logicalunit', ...unit, '-b', await makeDevice());
    },
    'no target': async (name, { tgtd }) =>
      tgtd.tgtadm('--op', 'delete', '--mode', 'target', '--tid', await tidOf(name), '--force'),
    'no file': (name, { volumesDir }) => rm(join(volumesDir, name)),
    'a file that says something else': (name, { volumesDir }) =>
      writeFile(join(volumesDir, name), '<target x>\n incominguser bob p\n'),
  };
  for (const [damage, harm] of Object.entries(damages)) {
    test(`mends: ${damage}`, async () => {
      const chap = { username: 'alice', password: 'alices-password' };
      const request = newRequest(await bed.makeDevice(), { chap });
      const login = await connect(target, request);
      const state = await bed.state();
      await harm(request.volume.name, bed);
      assert.notDeepEqual(await bed.state(), state);
      await target.ensureExports([request]);
      assert.deepEqual(await bed.state(), state);
      assert.equal(await tryLogin(login), 'ok');
      assert.equal(await tryLogin(withoutChap(login)), 'refused');
      await harm(request.volume.name, bed);
      await target.removeExport(request.volume);
    });
  }

  test('an account that two volumes share stays until the last of them is gone', async () => {
    const chap = newChap();
    const [one, two] = [newRequest(await bed.makeDevice(), { chap }), newRequest(await bed.makeDevice(), { chap })];
    const [first, second] = await Promise.all([connect(target, one), connect(target, two)]);
    assert.equal(await tryLogin(first), 'ok');
    const other = newRequest(await bed.makeDevice(), { chap: { ...chap, password: 'something-else' } });
    await assert.rejects(
      target.createExport(other),
      (error: Error) => isFailure(error, 'ExportFailure') && !/something-else/.test(error.message),
    );
    await target.removeExport(other.volume);
    await target.removeExport(one.volume);
    assert.equal(await tryLogin(second), 'ok');
    assert.equal(await tryLogin(withoutChap(second)), 'refused');
    await target.removeExport(two.volume);
  });

  test('targets of others are left alone', async () => {
    await bed.tgtd.tgtadm('--op', 'new', '--mode', 'target', '--tid', '900', '--targetname', 'iqn.other:thing');
    const state = await bed.state();
    const request = newRequest(await bed.makeDevice());
    await target.createExport(request);
    assert.deepEqual(await target.list(), [request.volume.name]);
    await target.removeExport(request.volume);
    assert.deepEqual(await bed.state(), state);
    await bed.tgtd.tgtadm('--op', 'delete', '--mode', 'target', '--tid', '900');
  });

  test('another process may be quicker with a number, or with the target', async () => {
    const { controlPort, socket } = bed.tgtd.daemon;
    const path = socketPath(socket, controlPort);
    // As in another process: it does not share the numbers.
    const other = createDaemon('another process', createSocketTransport(path, 'iscsi'));
    const daemon = createDaemon(path, createSocketTransport(path, 'iscsi'));
    const tid = await daemon.createTarget('iqn.x:one', 0);
    assert.ok((await other.createTarget('iqn.x:two', tid - 1)) > tid);
    assert.equal(await other.createTarget('iqn.x:one', tid - 1), tid);
    for (const each of await daemon.show()) await daemon.deleteTarget(each.tid);
  });

  test('a file that cannot be written leaves a working export open', async () => {
    const request = newRequest(await bed.makeDevice());
    const login = await connect(target, request);
    const changed = await bed.openWith({ iscsi_write_cache: 'off' });
    armFailpoints({ actions: new Map([['file.write.before', { hit: 1, action: 'throw' }]]) });
    try {
      await assert.rejects(changed.createExport(request), /fail point/);
    } finally {
      armFailpoints(undefined);
    }
    assert.equal(await tryLogin(login), 'ok');
    await target.removeExport(request.volume);
  });

  test('a grown volume shows its new size, unless somebody uses it', async () => {
    const request = newRequest(await bed.makeDevice());
    const login = await connect(target, request);
    const grown = { ...request, volume: { ...request.volume, sizeGb: 2 } };
    const session = await openSession(login);
    try {
      await truncate(request.devicePath, 2 * 2 ** 30);
      await target.createExport(grown);
      assert.equal(await session.command('read -P 0 0 64k'), 'ok');
      assert.match(bed.log.text(), /logical unit kept as it is while an initiator uses it/);
    } finally {
      await session.close();
    }
    await waitFor(async () => (await bed.tgtd.targets()).every(({ sessions }) => sessions === 0));
    await target.createExport(grown);
    assert.equal(await qemuIo(iscsiUrl(login), 'write -P 0x55 1073741824 64k'), 'ok');
    await target.removeExport(request.volume);
  });

  test('after the removal tgtd holds the device no longer, a session or not', async () => {
    const request = newRequest(await bed.makeDevice());
    const session = await openSession(await connect(target, request));
    try {
      assert.equal(await session.command('write -P 1 0 4M'), 'ok');
      assert.ok((await openFilesOf(bed.tgtd.daemon.pid)).includes(request.devicePath));
      await target.removeExport(request.volume);
      assert.ok(!(await openFilesOf(bed.tgtd.daemon.pid)).includes(request.devicePath));
    } finally {
      await session.close();
    }
  });

  test('no password in any argv', async () => {
    const seen = new Set<string>();
    let sampling = true;
    const earlier = new Set(await processes());
    const sampler = (async () => {
      while (sampling) for (const argv of await commandLines(earlier)) seen.add(argv);
    })();
    const secret = 'sampled-password-1';
    const exportSome = async (tgt_control: string) => {
      const each = await bed.openWith({ tgt_control });
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const chap = { ...newChap(), password: secret };
          const request = newRequest(await bed.makeDevice(), { chap });
          await each
            .createExport(request)
            .catch((error: unknown) => assert.equal(tgt_control, 'tgtadm', String(error)));
          await each.removeExport(request.volume);
        }),
      );
    };
    const sawTgtadm = () => [...seen].some((argv) => argv.includes('tgtadm'));
    // On a busy machine the sampler may miss what lives for milliseconds: it gets more rounds then.
    for (let round = 0; round < 10 && !sawTgtadm(); round += 1) {
      for (const tgt_control of ['socket', 'tgtadm']) await exportSome(tgt_control);
    }
    sampling = false;
    await sampler;
    // It has seen what was started, so its silence about the secret means something.
    assert.ok(sawTgtadm());
    assert.deepEqual(
      [...seen].filter((argv) => argv.includes(secret)),
      [],
    );
  });

  test('by tgtadm: the same exports, but no CHAP', async () => {
    const slow = await bed.openWith({ tgt_control: 'tgtadm' });
    const request = newRequest(await bed.makeDevice(), { chap: null });
    await target.createExport(request);
    const state = await bed.state();
    await target.removeExport(request.volume);
    await slow.createExport(request);
    assert.deepEqual(await bed.state(), state);
    assert.deepEqual(await slow.list(), [request.volume.name]);
    await slow.removeExport(request.volume);
    await slow.removeExport(request.volume);
    const guarded = newRequest(await bed.makeDevice());
    await assert.rejects(slow.createExport(guarded), /Set tgt_control = socket, or use no CHAP/);
    await slow.removeExport(guarded.volume);
  });

  test('without a tgtd: an error that says what to do', async () => {
    for (const tgt_control of ['socket', 'tgtadm']) {
      const tgt_socket = join(bed.tgtd.directory, 'nobody');
      await assert.rejects(
        bed.openWith({ tgt_control, tgt_socket }),
        (error) => isFailure(error, 'ConnectionFailed') && /nobody\.1 .*Start tgtd/.test(error.message),
      );
    }
  });

  test('what tgt cannot express is refused before anything is done', async () => {
    const good = newRequest('/dev/null');
    for (const request of [
      { ...good, devicePath: '/a,b' },
      { ...good, devicePath: '/a\nb' },
      { ...good, devicePath: 'relative' },
      { ...good, chap: { username: 'a b', password: 'x' } },
      { ...good, chap: { username: 'a', password: 'very secret' } },
      { ...good, volume: { ...good.volume, name: '../escape' } },
    ]) {
      await assert.rejects(
        target.createExport(request),
        (error: Error) => isFailure(error, 'ExportFailure') && !error.message.includes('very secret'),
      );
    }
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail('waited 10 s in vain');
}

async function openFilesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  return Promise.all((await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => '')));
}

async function processes(): Promise<string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

async function commandLines(except: ReadonlySet<string>): Promise<string[]> {
  const pids = (await processes()).filter((pid) => !except.has(pid));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}
