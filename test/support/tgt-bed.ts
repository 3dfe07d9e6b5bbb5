/** A tgtd of its own with what the target suite needs around it. */
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tgtTarget } from '../../drivers/target/tgt/index.ts';
import type { ShownTarget } from '../../drivers/target/tgt/show.ts';
import type { Target } from '../../src/driver/target.ts';
import type { TargetBed } from '../suites/target.ts';
import { openTarget } from './open-target.ts';
import { recorderLog } from './recorder-log.ts';
import { startTestTgtd, type TestTgtd } from './tgtd.ts';

export interface TgtBed extends TargetBed {
  readonly tgtd: TestTgtd;
  readonly volumesDir: string;
  /** A target with other values of some options. */
  openWith(values: Readonly<Record<string, unknown>>): Promise<Target>;
}

const DEVICE_BYTES = 2 ** 30;

/** `common` are values that all its targets have. */
export async function openTgtBed(common: Readonly<Record<string, unknown>> = {}): Promise<TgtBed> {
  const tgtd = await startTestTgtd();
  const log = recorderLog();
  const volumesDir = join(tgtd.directory, 'volumes');
  const devices = join(tgtd.directory, 'devices');
  await mkdir(devices);
  let made = 0;
  const openWith = (values: Readonly<Record<string, unknown>>) =>
    openTarget(
      tgtTarget,
      {
        target_ip_address: tgtd.address,
        target_port: tgtd.daemon.port,
        volumes_dir: volumesDir,
        tgt_control_port: tgtd.daemon.controlPort,
        tgt_socket: tgtd.daemon.socket,
        ...common,
        ...values,
      },
      log,
    );
  return {
    tgtd,
    volumesDir,
    log,
    openWith,
    open: () => openWith({}),
    async makeDevice(name = 'device') {
      made += 1;
      const path = join(devices, `${made}-${name}`);
      await writeFile(path, '');
      await truncate(path, DEVICE_BYTES);
      return path;
    },
    async state() {
      const targets = (await tgtd.targets()).map(describe);
      const accounts = (await tgtd.accounts()).map((account) => `account ${account}`);
      return [...targets, ...accounts, ...(await describeFiles(volumesDir))].sort();
    },
    close: () => tgtd.close(),
  };
}

/** All but the sessions and the target's number, of which tgtd's own controller has its serial. */
function describe({ sessions: _sessions, tid: _tid, units, ...target }: ShownTarget): string {
  return `target ${JSON.stringify({ ...target, units: units.filter(({ lun }) => lun !== 0) })}`;
}

async function describeFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const { mode } = await stat(path);
      return `file ${name} ${(mode & 0o777).toString(8)} ${JSON.stringify(await readFile(path, 'utf8'))}`;
    }),
  );
}
