import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { blockedLvm, helperOf, holdLock, isLvm, until } from '../../support/helper-crash.ts';
import { type InstalledHelper, installHelper, whyNoHelper } from '../../support/installed-helper.ts';
import { makeVolumeGroup, type TestVolumeGroup, whyNoLvm } from '../../support/lvm.ts';
import { missingTgtd, startTestTgtd, type TestTgtd } from '../../support/tgtd.ts';

const skip = whyNoHelper() ?? (await whyNoLvm()) ?? missingTgtd() ?? false;

describe('a service that runs as an unprivileged user', { skip, timeout: 60_000 }, () => {
  let group: TestVolumeGroup;
  let tgtd: TestTgtd;
  let helper: InstalledHelper;
  let backing: string;
  before(async () => {
    group = await makeVolumeGroup(8, false);
    tgtd = await startTestTgtd();
    backing = join(tgtd.directory, 'backing');
    const lvmDir = dirname(group.configFile);
    for (const path of [dirname(lvmDir), lvmDir, group.configFile]) await chmod(path, 0o755);
    const literal = (text: string) => text.replaceAll(/[.]/g, '\\.');
    helper = await installHelper({
      vg: group.name,
      lvm_dir: `trusted:${literal(lvmDir)}`,
      socket: `${literal(tgtd.daemon.socket)}\\.[0-9]+`,
      // Stands for the volume's device, which this kernel may not have.
      backing: literal(backing),
    });
    await writeFile(backing, '');
    await truncate(backing, 2 ** 30);
  });
  after(async () => {
    await helper?.close();
    await tgtd?.close();
    await group?.close();
  });

  for (const privilege of ['daemon', 'sudo']) {
    it(`creates, exports and deletes through sudo and the helper (${privilege})`, async () => {
      await withService(privilege, async (service) => {
        assert.deepEqual(await service.ask('setUp'), { uid: helper.uid });
        const volume = newVolume();
        const chap = { username: randomBytes(8).toString('hex'), password: randomBytes(12).toString('base64url') };
        await service.ask('create', { volume });
        assert.match(await group.lvm('lvs', group.name), new RegExp(volume.name));
        await service.ask('export', { volume, devicePath: backing, chap });
        const [exported] = (await tgtd.targets()).filter(({ iqn }) => iqn.endsWith(volume.name));
        assert.deepEqual([exported?.addresses, exported?.accounts], [['ALL'], [chap.username]]);
        assert.ok(!((await service.ask('log')) as string).includes(chap.password));
        await service.ask('removeExport', { volume });
        await service.ask('delete', { volume });
        assert.deepEqual([await tgtd.targets(), await tgtd.accounts()], [[], []]);
        assert.deepEqual(await service.ask('list'), [[], []]);
      });
    });
  }

  it('is refused what no filter allows', async () => {
    await withService('daemon', async (service) => {
      await service.ask('setUp');
      for (const argv of [['id'], ['lvs'], ['vgremove', '--yes', group.name], ['@read', '/etc/shadow']]) {
        await assert.rejects(service.ask('run', { argv }), { cause: 'refused' });
      }
      // Though the target would like to.
      const request = { volume: newVolume(), devicePath: '/etc/shadow', chap: null };
      await assert.rejects(service.ask('export', request), { cause: 'refused' });
      await service.ask('removeExport', request);
    });
  });

  it('goes on after its helper was killed in the middle of a command, and no lvm process is left', async () => {
    await withService('daemon', async (service) => {
      await service.ask('setUp');
      const volume = newVolume();
      const lock = await holdLock(group.name);
      let creating: Promise<unknown> = Promise.resolve();
      try {
        creating = service.ask('create', { volume }).then(
          () => 'done',
          (error: Error) => error.cause,
        );
        const blocked = await blockedLvm(group.name);
        process.kill(await helperOf(blocked), 'SIGKILL');
        // The next command starts another helper, which ends what the one before has left; one may be lost with that.
        for (const _ of [1, 2]) await service.ask('run', { argv: ['dmsetup', 'targets'] }).catch(() => {});
        await until(() => (isLvm(blocked, group.name) ? undefined : true));
      } finally {
        lock.release();
      }
      // Lost, its effect unknown, or found out by a look at what is there.
      assert.ok(['done', 'lost'].includes(String(await creating)));
      await service.ask('create', { volume });
      await service.ask('delete', { volume });
      assert.deepEqual(await service.ask('list'), [[], []]);
    });
  });

  it('leaves nothing running when it is killed itself', async () => {
    await withService('daemon', async (service) => {
      await service.ask('setUp');
      const lock = await holdLock(group.name);
      try {
        service.ask('create', { volume: newVolume() }).catch(() => {});
        const blocked = await blockedLvm(group.name);
        service.child.kill('SIGKILL');
        await until(() => (isLvm(blocked, group.name) ? undefined : true));
      } finally {
        lock.release();
      }
    });
  });

  async function withService(privilege: string, body: (service: Service) => Promise<void>): Promise<void> {
    const state = join(helper.directory, `state-${randomUUID()}`);
    await mkdir(state, { mode: 0o700 });
    execFileSync('chown', [String(helper.uid), state]);
    const service = startService(state, privilege);
    try {
      await body(service);
    } finally {
      service.child.stdin!.end();
      const late = setTimeout(() => service.child.kill('SIGKILL'), 10_000);
      await service.exited;
      clearTimeout(late);
    }
  }

  function startService(state: string, privilege: string): Service {
    const settings = {
      ...{ program: helper.program, config: helper.config, privilege },
      lvm: { volume_group: group.name, lvm_conf_file: group.configFile, lvm_metadata_only: true, lvm_type: 'default' },
      tgt: {
        ...{ target_ip_address: tgtd.address, target_port: tgtd.daemon.port, volumes_dir: join(state, 'volumes') },
        ...{ tgt_control_port: tgtd.daemon.controlPort, tgt_socket: tgtd.daemon.socket },
      },
    };
    const script = join(import.meta.dirname, '../../support/unprivileged-service.ts');
    const [file, ...argv] = helper.asUser(join(helper.directory, 'node'), script, JSON.stringify(settings));
    const child = spawn(file, argv, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, value, error, outcome } = JSON.parse(line);
      if (error === undefined) waiting.get(id)?.resolve(value);
      else waiting.get(id)?.reject(new Error(error, { cause: outcome }));
      waiting.delete(id);
    });
    const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void exited.then(() => {
      for (const { reject } of waiting.values()) reject(new Error('the service is gone'));
    });
    let last = 0;
    return {
      child,
      exited,
      ask: (call, more = {}) =>
        new Promise((resolve, reject) => {
          last += 1;
          waiting.set(last, { resolve, reject });
          child.stdin.write(`${JSON.stringify({ id: last, call, ...more })}\n`);
        }),
    };
  }
});

interface Service {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  ask(call: string, more?: object): Promise<unknown>;
}

function newVolume() {
  const id = randomUUID();
  return { id, name: `volume-${id}`, sizeGb: 1, pool: null, providerId: null, extraSpecs: {} };
}
