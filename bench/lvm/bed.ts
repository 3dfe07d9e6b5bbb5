/** What the figures are taken on: a volume group, a tgtd, PostgreSQL, and the lvm driver with stand-in devices. */
import { execFile } from 'node:child_process';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tgtTarget } from '../../drivers/target/tgt/index.ts';
import { lvmDriver } from '../../drivers/volume/lvm/index.ts';
import type { Options } from '../../src/config/options.ts';
import type { DriverVolume, VolumeDriver } from '../../src/driver/driver.ts';
import type { Target } from '../../src/driver/target.ts';
import { createLocalExecutor } from '../../src/exec/executor.ts';
import { makeVolumeGroup, type TestVolumeGroup, whyNoLvm } from '../../test/support/lvm.ts';
import { silentLog, startTestPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { missingTgtd, startTestTgtd, type TestTgtd } from '../../test/support/tgtd.ts';
import { createSeeder, type Seeder } from './seed.ts';

const GIB = 1024 ** 3;
/** Of the sparse disk under the group. */
const DISK_GB = 1200;

export interface Bed {
  readonly group: TestVolumeGroup;
  readonly tgtd: TestTgtd;
  readonly postgres: TestPostgres;
  readonly seeder: Seeder;
  /** lvm commands that the drivers have run so far. */
  lvmCommands(): number;
  /** As after a start of the service: nothing is remembered. */
  open(): { readonly driver: VolumeDriver; readonly target: Target };
  /** A sparse file for what would be the volume's device. */
  makeDevice(name: string): Promise<string>;
  /** What was written to the group's disk is on it. */
  flushDisk(): Promise<void>;
  close(): Promise<void>;
}

export async function openBed(): Promise<Bed> {
  const why = (await whyNoLvm()) ?? missingTgtd();
  if (why !== null) throw new Error(why);
  const tgtd = await startTestTgtd();
  const postgres = await startTestPostgres();
  const group = await makeVolumeGroup(DISK_GB, false, ['--metadatasize', '64m']);
  const devices = join(tgtd.directory, 'devices');
  await mkdir(devices);
  const seeder = await createSeeder(group, tgtd.directory);
  const log = silentLog;
  const direct = createLocalExecutor({ log, privileged: 'root' });
  let lvmCommands = 0;
  const executor: typeof direct = {
    ...direct,
    run(command) {
      lvmCommands += 1;
      return direct.run(command);
    },
  };
  const disks = group.lvm('vgs', '--noheadings', '--options', 'pv_name', group.name);
  const pathOf = (name: string) => join(devices, name);

  function openDriver(): VolumeDriver {
    const values = {
      volume_group: group.name,
      lvm_type: 'default',
      lvm_conf_file: group.configFile,
      lvm_suppress_fd_warnings: true,
      lvm_metadata_only: true,
    };
    const driver = lvmDriver.open({
      backend: 'bench',
      options: { ...defaultsOf(lvmDriver.options), ...values },
      executor,
      log,
    });
    return {
      ...driver,
      // There is no device-mapper here. The look whether the volume is there is made all the same.
      async devicePath(volume: DriverVolume) {
        if ((await driver.poolOf(volume)) === null) throw new Error(`${volume.name} is not in the group`);
        return pathOf(volume.name);
      },
    };
  }

  function openTarget(): Target {
    const values = {
      target_ip_address: tgtd.address,
      target_port: tgtd.daemon.port,
      volumes_dir: join(tgtd.directory, 'volumes'),
      tgt_control_port: tgtd.daemon.controlPort,
      tgt_socket: tgtd.daemon.socket,
    };
    return tgtTarget.open({
      backend: 'bench',
      options: { ...defaultsOf(tgtTarget.options), ...values },
      executor,
      log,
    });
  }

  return {
    group,
    tgtd,
    postgres,
    seeder,
    lvmCommands: () => lvmCommands,
    open: () => ({ driver: openDriver(), target: openTarget() }),
    async makeDevice(name) {
      await writeFile(pathOf(name), '');
      await truncate(pathOf(name), GIB);
      return pathOf(name);
    },
    async flushDisk() {
      const disk = (await disks).trim();
      await promisify(execFile)('sync', ['--data', disk]);
    },
    async close() {
      await group.close();
      await postgres.stop();
      await tgtd.close();
      await rm(devices, { recursive: true, force: true });
    },
  };
}

function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, { default: value }]) => [name, value]));
}
