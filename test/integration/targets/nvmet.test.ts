/** The kernel's NVMe/TCP target, with the kernel's NVMe host (nvme-cli) at the other end. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { nvmetTarget } from '../../../drivers/target/nvmet/index.ts';
import type { Executor } from '../../../src/driver/executor.ts';
import type { ExportRequest, Target } from '../../../src/driver/target.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { connector, newRequest, type TargetBed } from '../../suites/target.ts';
import { byVerbs } from '../../support/by-verbs.ts';
import { failEveryTargetStep } from '../../support/fail-every-target-step.ts';
import { readDisk, writeDisk } from '../../support/kernel-initiator.ts';
import { deviceMaker, freePort } from '../../support/lio-bed.ts';
import { openTarget } from '../../support/open-target.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const ROOT = '/sys/kernel/config/nvmet';
const missing = existsSync(`${ROOT}/subsystems`)
  ? null
  : 'the kernel of this machine has no nvmet; test/kernel runs this in a VM';
const run = promisify(execFile);
const EVERY_STEP_LIMIT_MS = 10 * 60_000;
const NVME_LIMIT_MS = 60_000;

interface Bed extends TargetBed {
  openWith(values: Readonly<Record<string, unknown>>, executor?: Executor): Promise<Target>;
}

describe('target nvmet', { skip: missing ?? false }, () => {
  let bed: Bed;
  let target: Target;
  before(async () => {
    bed = await openBed();
    target = await bed.open();
  });
  after(() => bed?.close());
  afterEach(async () => {
    assert.deepEqual(await bed.state(), [], 'the test has left something behind');
  });

  const connect = async (from: Target, request: ExportRequest) => {
    const exported = await from.createExport(request);
    return (await from.initializeConnection(request.volume, { ...exported, chap: request.chap }, connector)).data;
  };

  test('says how to connect, in both forms', async () => {
    const request = newRequest(await bed.makeDevice());
    const nqn = `nqn.2010-10.org.openstack:${request.volume.name}`;
    const exported = await target.createExport(request);
    const [, port] = /^127\.0\.0\.1:(\d+) tcp \S+ 10$/.exec(exported.providerLocation)!;
    assert.deepEqual(await connect(target, request), {
      target_portal: '127.0.0.1',
      target_port: port,
      nqn,
      transport_type: 'tcp',
      ns_id: 10,
    });
    assert.deepEqual(await connect(await bed.openWith({ nvmeof_conn_info_version: 2 }), request), {
      target_nqn: nqn,
      vol_uuid: request.volume.id,
      portals: [['127.0.0.1', port, 'tcp']],
      ns_id: 10,
    });
    const exportedTo = { ...exported, chap: null };
    await assert.rejects(target.initializeConnection(request.volume, exportedTo, { initiator: 'iqn.x:y' }), (error) =>
      isFailure(error, 'InvalidConnector'),
    );
    await target.removeExport(request.volume);
  });

  test('repetitions change nothing; removing what is not there succeeds; one leaves the others', async () => {
    const [kept, gone] = [newRequest(await bed.makeDevice()), newRequest(await bed.makeDevice())];
    await target.removeExport(gone.volume);
    await connect(target, kept);
    const state = await bed.state();
    const restarted = await bed.open();
    await connect(restarted, kept);
    await restarted.ensureExports([kept]);
    assert.deepEqual(await bed.state(), state);
    await connect(target, gone);
    assert.deepEqual((await target.list()).toSorted(), [kept.volume.name, gone.volume.name].toSorted());
    await target.removeExport(gone.volume);
    await target.removeExport(gone.volume);
    assert.deepEqual(await bed.state(), state);
    await target.removeExport(kept.volume);
  });

  test('20 at the same time; a device that is not there is an error for its volume alone', async () => {
    const requests = await Promise.all(Array.from({ length: 20 }, async () => newRequest(await bed.makeDevice())));
    const bad = newRequest('/nonexistent/device');
    const results = await target.ensureExports([bad, ...requests]);
    const error = results.get(bad.volume.id);
    assert.ok(isFailure(error, 'ExportFailure') && /\/nonexistent\/device/.test(error.message));
    for (const { volume } of requests) assert.ok(!(results.get(volume.id) instanceof Error));
    assert.equal((await target.list()).length, 20);
    await Promise.all([bad, ...requests].map(({ volume }) => target.removeExport(volume)));
  });

  for (const method of ['createExport', 'removeExport'] as const) {
    test(`fails at every step of ${method}, and goes on after it`, { timeout: EVERY_STEP_LIMIT_MS }, () =>
      failEveryTargetStep(bed, method, false),
    );
  }

  test('the kernel connects, and what it writes is on the device; only who was let in', async () => {
    const request = newRequest(await bed.makeDevice());
    const data = await connect(target, request);
    const nqn = String(data.nqn);
    await assert.rejects(nvmeConnect(data, 'nqn.2014-08.com.example:stranger'));
    const disk = await nvmeConnect(data, connector.nqn);
    const bytes = randomBytes(1 << 20);
    await writeDisk(disk, bytes);
    assert.deepEqual(await readDisk(disk, bytes.length), bytes);
    assert.deepEqual(await readDisk(request.devicePath, bytes.length), bytes);
    const digits = request.volume.id.replaceAll('-', '');
    const block = `/sys/block/${disk.replace('/dev/', '')}`;
    assert.equal((await readFile(`${block}/uuid`, 'utf8')).trim(), request.volume.id);
    assert.equal((await readFile(`${block}/device/serial`, 'utf8')).trim(), digits.slice(0, 20));
    assert.equal((await readFile(`${block}/device/model`, 'utf8')).trim(), 'Ashlar');

    // Another export comes and goes, and this one is made right again: nobody's connection is cut.
    const other = newRequest(await bed.makeDevice());
    await connect(target, other);
    await target.removeExport(other.volume);
    await target.ensureExports([request]);
    assert.deepEqual(await readDisk(disk, 4096), bytes.subarray(0, 4096));

    // Grown underneath.
    const file = request.devicePath.replace(/device-(\d+)-.*/, 'disk-$1');
    await truncate(file, 2 * 2 ** 30);
    await run('losetup', ['--set-capacity', await realpath(request.devicePath)]);
    await target.createExport({ ...request, volume: { ...request.volume, sizeGb: 2 } });
    await until(async () => (await run('blockdev', ['--getsize64', disk])).stdout.trim() === String(2 * 2 ** 30));

    await run('nvme', ['disconnect', '--nqn', nqn], { timeout: NVME_LIMIT_MS });
    await target.terminateConnection(request.volume, connector);
    await assert.rejects(nvmeConnect(data, connector.nqn));
    await connect(target, request);
    await nvmeConnect(data, connector.nqn);
    await run('nvme', ['disconnect', '--nqn', nqn], { timeout: NVME_LIMIT_MS });
    await target.removeExport(request.volume);
    await assert.rejects(nvmeConnect(data, connector.nqn));
  });

  const damages: Record<string, (nqn: string, device: string) => Promise<unknown>> = {
    'any host let in': (nqn) =>
      hostsOf(nqn).then(() => writeFile(`${ROOT}/subsystems/${nqn}/attr_allow_any_host`, '1')),
    'namespace disabled': (nqn) => writeFile(`${ROOT}/subsystems/${nqn}/namespaces/10/enable`, '0'),
    'not on its port': (nqn) => unlink(`${ROOT}/ports/1/subsystems/${nqn}`),
    'half a second namespace': (nqn) => mkdir(`${ROOT}/subsystems/${nqn}/namespaces/11`),
    'another device': async (nqn, device) => {
      const path = `${ROOT}/subsystems/${nqn}/namespaces/10`;
      await writeFile(`${path}/enable`, '0');
      await writeFile(`${path}/device_path`, device);
      await writeFile(`${path}/enable`, '1');
    },
  };
  for (const [damage, harm] of Object.entries(damages)) {
    test(`mends: ${damage}`, async () => {
      const request = newRequest(await bed.makeDevice());
      await connect(target, request);
      const state = await bed.state();
      const nqn = `nqn.2010-10.org.openstack:${request.volume.name}`;
      // With a host in its list a subsystem cannot be opened to all.
      if (damage === 'any host let in') await target.terminateConnection(request.volume, null);
      await harm(nqn, await bed.makeDevice());
      await target.ensureExports([{ ...request, connectors: [connector] }]);
      assert.deepEqual(await bed.state(), state);
      await target.removeExport(request.volume);
    });
  }

  test('a service without rights: the same by the helper’s verbs, and its filters allow each', async () => {
    const executor = byVerbs({ backing: '/var/tmp/[A-Za-z0-9/-]+|/tmp/[A-Za-z0-9/-]+' });
    const unprivileged = await bed.openWith({}, executor);
    const request = newRequest(await bed.makeDevice());
    const data = await connect(unprivileged, request);
    await nvmeConnect(data, connector.nqn);
    await run('nvme', ['disconnect', '--nqn', String(data.nqn)], { timeout: NVME_LIMIT_MS });
    const state = await bed.state();
    await unprivileged.ensureExports([request]);
    assert.deepEqual(await bed.state(), state);
    await unprivileged.terminateConnection(request.volume, connector);
    const other = newRequest('/dev/vda');
    await assert.rejects(unprivileged.createExport(other), /no filter allows/);
    for (const { volume } of [request, other]) await unprivileged.removeExport(volume);
  });

  test('a port that others use is left alone, and said', async () => {
    const request = newRequest(await bed.makeDevice());
    await target.createExport(request);
    const other = await bed.openWith({ target_port: 1 });
    const second = newRequest(await bed.makeDevice());
    await assert.rejects(other.createExport(second), /nvmet_port_id/);
    await other.removeExport(second.volume);
    await target.removeExport(request.volume);
  });

  test('a kernel without in-band authentication says so', async (t) => {
    const request = newRequest(await bed.makeDevice());
    const asking = await bed.openWith({ nvmet_dhchap_secret: 'hidden-secret' });
    await asking.createExport(request);
    const knows = existsSync(`${ROOT}/hosts/${connector.nqn}/dhchap_key`);
    t.diagnostic(`in-band authentication: ${knows}`);
    if (!knows) await assert.rejects(connect(asking, request), /CONFIG_NVME_TARGET_AUTH/);
    await asking.removeExport(request.volume);
    assert.doesNotMatch(bed.log.text(), /hidden-secret/);
  });
});

async function openBed(): Promise<Bed> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-nvmet-'));
  const log = recorderLog();
  const { devices, makeDevice } = deviceMaker(directory, 'block');
  const values = { target_ip_address: '127.0.0.1', target_port: await freePort() };
  const openWith = (others: Readonly<Record<string, unknown>>, executor?: Executor) =>
    openTarget(nvmetTarget, { ...values, ...others }, log, executor);
  return {
    log,
    openWith,
    open: () => openWith({}),
    makeDevice,
    async state() {
      const lines: string[] = [];
      for (const part of ['subsystems', 'ports']) await walk(`${ROOT}/${part}`, lines);
      // Ports and hosts are no part of an export.
      return lines.filter((line) => !/^\S+\/ports\/\d+(\/(subsystems|referrals|ana_groups\S*))?$/.test(line)).sort();
    },
    async close() {
      for (const device of devices) await run('losetup', ['--detach', device]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const TELLING = [
  'attr_allow_any_host',
  'attr_serial',
  'attr_model',
  'device_path',
  'device_uuid',
  'enable',
  'buffered_io',
];

async function walk(directory: string, lines: string[]): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) lines.push(`${path} -> ${await readlink(path)}`);
    else if (entry.isDirectory()) {
      lines.push(path);
      await walk(path, lines);
    } else if (TELLING.includes(entry.name)) lines.push(`${path} = ${(await readFile(path, 'utf8')).trim()}`);
  }
}

async function hostsOf(nqn: string): Promise<string[]> {
  return await readdir(`${ROOT}/subsystems/${nqn}/allowed_hosts`);
}

/** Connects as that host; the disk's path. */
async function nvmeConnect(data: Readonly<Record<string, unknown>>, host: string): Promise<string> {
  const nqn = String(data.nqn);
  const where = ['--transport', 'tcp', '--traddr', String(data.target_portal), '--trsvcid', String(data.target_port)];
  const who = ['--nqn', nqn, '--hostnqn', host, '--hostid', '5d2ac11e-7c1c-4c9b-9b6c-5a3bd6c0d001'];
  await run('nvme', ['connect', ...where, ...who, '--reconnect-delay', '1'], { timeout: NVME_LIMIT_MS });
  let found = '';
  await until(async () => {
    for (const controller of await readdir('/sys/class/nvme')) {
      const path = `/sys/class/nvme/${controller}`;
      const name = await readFile(`${path}/subsysnqn`, 'utf8').catch(() => '');
      if (name.trim() !== nqn) continue;
      for (const disk of await readdir('/sys/block')) {
        const match = new RegExp(`^nvme${controller.slice(4)}n\\d+$`).test(disk);
        if (match) found = `/dev/${disk}`;
      }
    }
    return found !== '' && existsSync(found);
  });
  return found;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('waited 30 s in vain');
}
