/** LIO of this machine's kernel with what the target suite needs around it: devices, and a look at all that is left. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lioTarget } from '../../drivers/target/lio/index.ts';
import type { Target } from '../../src/driver/target.ts';
import type { TargetBed } from '../suites/target.ts';
import { openTarget } from './open-target.ts';
import { recorderLog } from './recorder-log.ts';

export interface LioBed extends TargetBed {
  readonly saveconfig: string;
  readonly port: number;
  openWith(values: Readonly<Record<string, unknown>>): Promise<Target>;
}

export const LIO_ROOT = '/sys/kernel/config/target';
const DEVICE_BYTES = 2 ** 30;
const run = promisify(execFile);

/** Null, or why there can be none. */
export function missingLio(): string | null {
  if (process.getuid?.() !== 0) return 'LIO takes root';
  return existsSync(`${LIO_ROOT}/core`) ? null : 'the kernel of this machine has no LIO; test/kernel runs this in a VM';
}

export async function openLioBed(kind: 'block' | 'file'): Promise<LioBed> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-lio-'));
  const log = recorderLog();
  const saveconfig = join(directory, 'saveconfig.json');
  const port = await freePort();
  const { devices, makeDevice } = deviceMaker(directory, kind);
  const values = { target_ip_address: '127.0.0.1', target_port: port, lio_saveconfig_file: saveconfig };
  const openWith = (others: Readonly<Record<string, unknown>>) => openTarget(lioTarget, { ...values, ...others }, log);
  return {
    saveconfig,
    port,
    log,
    openWith,
    open: () => openWith({}),
    makeDevice,
    async state() {
      const lines: string[] = [];
      for (const part of ['core', 'iscsi']) await walk(`${LIO_ROOT}/${part}`, lines);
      return [...lines, ...(await describeSaved(saveconfig)), ...(await leftovers(directory))].sort();
    },
    async close() {
      for (const device of devices) await run('losetup', ['--detach', device]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Makes devices of their own, sparse: loop devices, or plain files. `devices` are the loop devices made so far. */
export function deviceMaker(directory: string, kind: 'block' | 'file') {
  const devices: string[] = [];
  let made = 0;
  const makeDevice = async (name = 'device') => {
    made += 1;
    const [file, path] = [join(directory, `disk-${made}`), join(directory, `device-${made}-${name}`)];
    const bytes = kind === 'block' ? file : path;
    await writeFile(bytes, '');
    await truncate(bytes, DEVICE_BYTES);
    if (kind === 'file') return path;
    const { stdout } = await run('losetup', ['--find', '--show', file]);
    devices.push(stdout.trim());
    await symlink(stdout.trim(), path);
    return path;
  };
  return { devices, makeDevice };
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const NOT_OURS = ['alua', 'statistics', 'fabric_statistics', 'param', 'action', 'pr', 'discovery_auth', 'lio_version'];
const TELLING = [
  ...['enable', 'udev_path', 'vpd_unit_serial', 'emulate_tpu', 'emulate_write_cache', 'userid', 'password'],
  ...['userid_mutual', 'password_mutual', 'authentication', 'generate_node_acls', 'demo_mode_discovery'],
  ...['write_protect'],
];

/** A line for each directory, link and telling value under a directory. */
async function walk(directory: string, lines: string[]): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (NOT_OURS.includes(entry.name)) continue;
    if (entry.isSymbolicLink()) lines.push(`${path} -> ${await readlink(path)}`);
    else if (entry.isDirectory()) {
      lines.push(path);
      await walk(path, lines);
    } else if (TELLING.includes(entry.name)) lines.push(`${path} = ${(await readFile(path, 'utf8')).trim()}`);
  }
}

async function describeSaved(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const { storage_objects: objects = [], targets = [] } = JSON.parse(text) as Record<string, unknown[]>;
  return [...objects, ...targets].map((each) => `saved ${JSON.stringify(each)}`);
}

/** A write that was cut off may leave one file; it goes with the next write. */
async function leftovers(directory: string): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  return names.filter((name) => !/^(disk|device)-|^\.?saveconfig\.json(\.new)?$/.test(name));
}
