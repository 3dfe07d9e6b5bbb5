/** A whole node run by a user without rights: its own PostgreSQL, real lvm metadata, a real tgtd, all else by the helper. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { marked } from '../../../rootwrap/processes.ts';
import { blockedLvm, helperOf, holdLock, isLvm, until } from '../../support/helper-crash.ts';
import { missingInitiator, qemuIo } from '../../support/initiator.ts';
import { type InstalledHelper, installHelper, whyNoHelper } from '../../support/installed-helper.ts';
import { makeVolumeGroup, type TestVolumeGroup, whyNoLvm } from '../../support/lvm.ts';
import { BUNDLE, eventually, type NodeProcess, startNodeProcess } from '../../support/node-process.ts';
import { missingTgtd, startTestTgtd, type TestTgtd } from '../../support/tgtd.ts';

const skip = whyNoHelper() ?? (await whyNoLvm()) ?? missingTgtd() ?? missingInitiator() ?? false;

describe('a node that runs as an unprivileged user', { skip, timeout: 120_000 }, () => {
  let group: TestVolumeGroup;
  let tgtd: TestTgtd;
  let helper: InstalledHelper;
  let node: NodeProcess;
  let stateDir: string;
  before(async () => {
    group = await makeVolumeGroup(8, false);
    tgtd = await startTestTgtd();
    const lvmDir = dirname(group.configFile);
    for (const path of [dirname(lvmDir), lvmDir, group.configFile]) await chmod(path, 0o755);
    const literal = (text: string) => text.replaceAll('.', '\\.');
    helper = await installHelper({
      vg: group.name,
      lvm_dir: `trusted:${literal(lvmDir)}`,
      socket: `${literal(tgtd.daemon.socket)}\\.[0-9]+`,
      // Files of the file driver: of a kernel without device-mapper lvm has no device to export.
      backing: '/run/ashlar-rootwrap-[A-Za-z0-9]+/file/[A-Za-z0-9/_-]+',
    });
  });
  after(async () => {
    await helper?.close();
    await tgtd?.close();
    await group?.close();
  });

  it('creates, exports to an initiator, deletes', async () => {
    await withNode('file', 'volume_driver = file', async () => {
      const id = await create('data');
      const url = ashlar('attachment', 'create', 'data', '--initiator', 'iqn.2004-10.com.example:one', '--url');
      assert.equal(await qemuIo(url, 'write -P 0x5a 0 4M', 'flush', 'read -P 0x5a 0 4M'), 'ok');
      assert.equal((await tgtd.targets()).length, 1);
      ashlar('attachment', 'delete', 'data');
      await remove(id);
      assert.deepEqual([await tgtd.targets(), await tgtd.accounts()], [[], []]);
    });
  });

  const lvm = () =>
    `volume_driver = lvm\nvolume_group = ${group.name}\nlvm_type = default\nlvm_metadata_only = true\nlvm_conf_file = ${group.configFile}`;
  const listed = async () => (await group.lvm('lvs', '--noheadings', group.name)).trim();

  it('goes on after its helper was killed in the middle of a command, and no lvm process is left', async () => {
    await withNode('lvm', lvm(), async () => {
      const id = await create('data');
      assert.match(await listed(), new RegExp(`^volume-${id} `));
      const lock = await holdLock(group.name);
      let lost: string;
      try {
        lost = await order('lost');
        const blocked = await blockedLvm(group.name);
        process.kill(await helperOf(blocked), 'SIGKILL');
        // Its next command starts another helper, and that ends what the one before has left.
        await until(() => (isLvm(blocked, group.name) ? undefined : true));
      } finally {
        lock.release();
      }
      await eventually('the volume to be decided on', async () =>
        ['available', 'error'].includes(await statusOf(lost)) ? true : undefined,
      );
      for (const each of [lost, id, await create('after')]) await remove(each);
      // What is deleted is removed in the background.
      await eventually('the group to be empty', async () => ((await listed()) === '' ? true : undefined));
    });
    // The node has stopped: nothing works on the group any more.
    await until(() => (marked(() => true).some((pid) => isLvm(pid, group.name)) ? undefined : true));
  });

  async function withNode(backend: string, driver: string, body: () => Promise<void>): Promise<void> {
    stateDir = join(helper.directory, backend);
    await mkdir(stateDir, { mode: 0o700 });
    await writeFile(
      join(stateDir, 'ashlar.conf'),
      `[DEFAULT]
enabled_backends = ${backend}
own_tgtd = false
privileged_commands = daemon
privileged_helper = ${helper.program}
privileged_helper_config = ${helper.config}
[${backend}]
volume_backend_name = ${backend}
${driver}
target_helper = tgtadm
target_ip_address = ${tgtd.address}
target_port = ${tgtd.daemon.port}
tgt_control_port = ${tgtd.daemon.controlPort}
tgt_socket = ${tgtd.daemon.socket}
`,
    );
    execFileSync('chown', ['-R', String(helper.uid), stateDir]);
    node = await startNodeProcess({ stateDir, by: helper.asUser });
    try {
      const status = await readFile(`/proc/${node.pid}/status`, 'utf8');
      assert.match(status, new RegExp(`^Uid:(\\t${helper.uid}){4}$`, 'm'));
      await body();
    } finally {
      await node.stop();
    }
  }

  async function order(name: string): Promise<string> {
    const { status, body } = await node.request('POST', '/volumes', { volume: { name, size: 1 } });
    assert.equal(status, 202, JSON.stringify(body));
    return body.volume.id;
  }

  async function create(name: string): Promise<string> {
    const id = await order(name);
    await eventually(`${name} to be there`, async () => {
      const now = await statusOf(id);
      assert.notEqual(now, 'error', node.output());
      return now === 'available' ? true : undefined;
    });
    return id;
  }

  async function remove(id: string): Promise<void> {
    assert.equal((await node.request('DELETE', `/volumes/${id}`)).status, 202);
    await eventually('the volume to be gone', async () => ((await statusOf(id)) === 'gone' ? true : undefined));
  }

  async function statusOf(id: string): Promise<string> {
    const { status, body } = await node.request('GET', `/volumes/${id}`);
    return status === 404 ? 'gone' : body.volume.status;
  }

  /** The command line, as the same user. */
  function ashlar(...argv: readonly string[]): string {
    const [file, ...rest] = helper.asUser(process.execPath, BUNDLE, ...argv, '--state-dir', stateDir);
    return execFileSync(file, rest, { encoding: 'utf8', timeout: 60_000 }).trim();
  }
});
