/** Device-mapper devices that break on request: every access fails, or waits. In a kernel with a device-mapper. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const LIMIT_MS = 60_000;

export interface BreakableDisk {
  readonly path: string;
  /** From now on every access is an error. */
  fail(): Promise<void>;
  /** From now on every access waits. */
  suspend(): Promise<void>;
  /** As it was before either. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** A device of its own over another one. */
export async function breakableOver(device: string, name: string): Promise<BreakableDisk> {
  const { stdout } = await execute('blockdev', ['--getsz', device]);
  await dmsetup('create', name, '--table', `0 ${stdout.trim()} linear ${device} 0`);
  return {
    ...(await breakable(name)),
    async close() {
      await dmsetup('resume', name);
      await dmsetup('remove', '--retry', name);
    },
  };
}

/** A device that is there, a logical volume's for example. */
export async function breakable(pathOrName: string): Promise<BreakableDisk> {
  const info = ['info', '--columns', '--noheadings', '--options', 'name'];
  const name = (await dmsetup(...info, pathOrName)).trim();
  const table = await dmsetup('table', name);
  const load = async (lines: string) => {
    await dmsetup('suspend', '--noflush', '--nolockfs', name);
    await dmsetup('load', name, '--table', lines.trim());
    await dmsetup('resume', name);
  };
  return {
    path: `/dev/mapper/${name}`,
    async fail() {
      const sectors = table.split('\n').reduce((sum, line) => sum + Number(line.split(' ')[1] ?? 0), 0);
      await load(`0 ${sectors} error`);
    },
    suspend: async () => void (await dmsetup('suspend', '--noflush', '--nolockfs', name)),
    heal: () => load(table),
    close: async () => {},
  };
}

async function dmsetup(...argv: readonly string[]): Promise<string> {
  return (await execute('dmsetup', [...argv], { timeout: LIMIT_MS })).stdout;
}
