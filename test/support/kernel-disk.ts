/** A disk with a volatile cache: what was written is on it after a flush, and lost when its server is killed before. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface VolatileDisk {
  /** For QEMU. */
  readonly uri: string;
  /** SIGKILL, and waits for the end: what was not flushed is gone. */
  kill(): Promise<void>;
}

const FILTER = 'nbdkit/filters/nbdkit-cache-filter.so';
/** Over NBD an image cannot grow, so it is made longer than it will ever be; sparse. */
const LARGEST_BYTES = 64 * 1024 ** 3;
const START_LIMIT_MS = 30_000;

/** Null, or why there can be none. */
export function missingVolatileDisk(): string | null {
  const found = ['/usr/lib', '/usr/lib64', '/usr/lib/x86_64-linux-gnu'].some((folder) =>
    existsSync(join(folder, FILTER)),
  );
  return found ? null : 'there is no nbdkit: apt-get install --no-install-recommends nbdkit';
}

/** Serves a qcow2; everything that the server needs is in `directory`. Ends with us, however we end. */
export async function serveVolatile(directory: string, disk: string): Promise<VolatileDisk> {
  await truncate(disk, LARGEST_BYTES);
  const socket = join(directory, 'nbd');
  await rm(socket, { force: true });
  // In writeback mode the filter keeps what was written to itself until a client flushes.
  const nbdkit = ['nbdkit', '--foreground', '--unix', socket, '--filter=cache', 'file', disk, 'cache=writeback'];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...nbdkit], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const deadline = performance.now() + START_LIMIT_MS;
  while (!existsSync(socket)) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`nbdkit does not start: ${said}`);
    await sleep(10);
  }
  return {
    uri: `nbd+unix:///?socket=${socket}`,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
