/** Catching the privileged helper in the middle of an lvm command. Needs root. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { marked } from '../../rootwrap/processes.ts';

/** Holds the group's lock as another lvm command would: lvm then waits in the middle of its work. */
export async function holdLock(volumeGroup: string): Promise<{ release(): void }> {
  await mkdir('/run/lock/lvm', { recursive: true });
  const child = spawn('flock', ['-x', `/run/lock/lvm/V_${volumeGroup}`, 'sh', '-c', 'echo held; read line'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { release: () => child.stdin.end('\n') };
}

/** The lvm command on that group that a helper has started, once there is one. */
export async function blockedLvm(volumeGroup: string): Promise<number> {
  return await until(() => marked(() => true).find((pid) => isLvm(pid, volumeGroup)));
}

/** The helper's process id stands in the environment of what it started. */
export async function helperOf(pid: number): Promise<number> {
  return Number(/(?:^|\0)ASHLAR_ROOTWRAP=(\d+)\./.exec(await readFile(`/proc/${pid}/environ`, 'latin1'))![1]!);
}

/** An lvm command on that group, which still runs. */
export function isLvm(pid: number, volumeGroup: string): boolean {
  try {
    const argv = execFileSync('cat', [`/proc/${pid}/cmdline`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /(^|\/)(lv|vg)[a-z]+\0/.test(argv) && argv.includes(volumeGroup);
  } catch {
    return false;
  }
}

export async function until<T>(look: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error('it did not come about within its limit');
}
