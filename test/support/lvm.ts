import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const COMMAND_DEADLINE_MS = 60_000;

/** A volume group of its own, on a loop device over a sparse file. */
export interface TestVolumeGroup {
  readonly name: string;
  /** An lvm.conf that lets lvm see this group alone. */
  readonly configFile: string;
  /** Runs an lvm command of the test's own against it; its stdout. */
  lvm(...argv: readonly [string, ...string[]]): Promise<string>;
  close(): Promise<void>;
}

/** Why there can be no volume group here, or null. */
export async function whyNoLvm(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'loop devices and lvm need root';
  if (!(await isThere('/dev/loop-control'))) return 'no loop devices in this kernel';
  if (!(await isThere('/usr/sbin/lvm')) && !(await isThere('/sbin/lvm'))) return 'lvm2 is not installed';
  return null;
}

/** True where logical volumes can be activated: a snapshot, a device, a wipe need that. */
export async function hasDeviceMapper(): Promise<boolean> {
  return await run('dmsetup', ['targets'], {}).then(
    () => true,
    () => false,
  );
}

/** Makes the group: `sizeGb` of free space. `options` are vgcreate's. `through` puts a device on the loop device. */
export async function makeVolumeGroup(
  sizeGb: number,
  activation: boolean,
  options: readonly string[] = [],
  through: (loop: string) => Promise<{ readonly path: string; close(): Promise<void> }> = async (path) => ({
    path,
    close: async () => {},
  }),
): Promise<TestVolumeGroup> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-lvm-'));
  const image = join(directory, 'disk');
  const configFile = join(directory, 'etc', 'lvm.conf');
  const name = `ashlar-test-${process.pid}-${directory.slice(-6)}`;
  const environment = { LVM_SYSTEM_DIR: join(directory, 'etc'), LVM_SUPPRESS_FD_WARNINGS: '1' };
  let loop: string | null = null;
  let device: Awaited<ReturnType<typeof through>> | null = null;
  const close = async () => {
    if (loop !== null) {
      await run('vgremove', ['--yes', '--force', name], environment).catch(() => {});
      await device?.close();
      await run('losetup', ['--detach', loop], {});
    }
    await rm(directory, { recursive: true });
  };
  try {
    await mkdir(join(directory, 'etc'));
    const disk = await open(image, 'w');
    await disk.truncate(sizeGb * 1024 ** 3 + 8 * 1024 ** 2);
    await disk.close();
    loop = (await run('losetup', ['--find', '--show', image], {})).trim();
    device = await through(loop);
    await writeFile(configFile, configuration(device.path, activation));
    await run('vgcreate', ['--yes', ...options, name, device.path], environment);
  } catch (error) {
    await close();
    throw error;
  }
  return { name, configFile, lvm: (program, ...argv) => run(program, argv, environment), close };
}

function configuration(device: string, activation: boolean): string {
  return `
global { activation = ${activation ? 1 : 0} use_lvmpolld = 0 notify_dbus = 0 }
activation { monitoring = 0 udev_sync = 0 udev_rules = 0 }
devices {
  global_filter = [ "a|^${device}$|", "r|.*|" ]
  scan_lvs = 0
  use_devicesfile = 0
  obtain_device_list_from_udev = 0
}
backup { backup = 0 archive = 0 }
`;
}

async function run(program: string, argv: readonly string[], environment: Record<string, string>): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...environment };
  return (await execute(program, [...argv], { env, timeout: COMMAND_DEADLINE_MS })).stdout;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
