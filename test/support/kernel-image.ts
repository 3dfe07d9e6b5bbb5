/**
 * The VM's image and its saved state, under .cache/kernel/KEY. KEY is a hash of everything they are made from, so a change
 * makes a new one, and what belongs to another key is removed.
 *
 *   root.img vmlinuz initrd   test/kernel/image/build.sh's
 *   base.qcow2 state          the disk and the memory of a machine that has booted and waits for its first command
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openAgent } from './kernel-agent.ts';
import { PAYLOAD_BYTES, saveState, startQemu } from './kernel-qemu.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const parts = join(root, 'test/kernel/image');
const cache = join(root, '.cache/kernel');
const BUILD_LIMIT_MS = 15 * 60_000;
const BOOT_LIMIT_MS = 120_000;

export interface KernelImage {
  readonly kernel: string;
  readonly initrd: string;
  readonly base: string;
  readonly state: string;
}

/** Null, or why there can be no VM here. */
export function missingVm(): string | null {
  const wanted = {
    'qemu-system-x86_64': 'qemu-system-x86',
    'qemu-img': 'qemu-utils',
    mmdebstrap: 'mmdebstrap',
    cpio: 'cpio',
    setpriv: 'util-linux',
    flock: 'util-linux',
    mke2fs: 'e2fsprogs',
    depmod: 'kmod',
  };
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the VM is one of x86-64 Linux';
  const folders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin'];
  for (const [program, name] of Object.entries(wanted)) {
    if (folders.some((folder) => existsSync(join(folder, program)))) continue;
    return `there is no ${program}: apt-get install --no-install-recommends ${name}`;
  }
  if (!existsSync('/etc/debian_version'))
    return "the VM is made from Debian's packages, with the sources of a Debian host";
  return process.getuid?.() === 0 || existsSync(join(cache)) ? null : 'the VM is built once as root (npm run vm)';
}

/** The image, built where it is missing: about a minute and a half. Whoever comes meanwhile waits for it. */
export async function kernelImage(): Promise<KernelImage> {
  const folder = join(cache, await key());
  if (!existsSync(join(folder, 'ready'))) {
    await mkdir(cache, { recursive: true });
    const program = join(parts, 'prepare.ts');
    const argv = ['--wait', String(BUILD_LIMIT_MS / 1000), join(cache, 'lock'), process.execPath, program];
    const child = spawn('flock', argv, { stdio: ['ignore', 'inherit', 'inherit'], timeout: BUILD_LIMIT_MS });
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`the VM's image could not be made (${code})`);
  }
  return imageIn(folder);
}

/** Does the work, for prepare.ts, which holds the lock. Says how long the parts took. */
export async function prepareImage(say: (line: string) => void): Promise<void> {
  const name = await key();
  const folder = join(cache, name);
  if (existsSync(join(folder, 'ready'))) return;
  for (const old of await readdir(cache))
    if (old !== 'lock') await rm(join(cache, old), { recursive: true, force: true });
  await mkdir(folder);
  const startedAtMs = performance.now();
  const seconds = () => ((performance.now() - startedAtMs) / 1000).toFixed(1);
  say("Kernel lane: making the VM from Debian's packages (once) ...");
  const argv = [folder, await realpath(process.execPath), join(parts, 'agent.ts')];
  await execute(join(parts, 'build.sh'), argv, { timeout: BUILD_LIMIT_MS, maxBuffer: 64 * 1024 ** 2 });
  say(`Kernel lane: image after ${seconds()} s`);
  await bootAndSave(imageIn(folder), join(folder, 'root.img'));
  await writeFile(join(folder, 'ready'), '');
  say(`Kernel lane: booted and saved after ${seconds()} s`);
}

async function bootAndSave(image: KernelImage, rootImage: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-vm-'));
  try {
    await execute('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', rootImage, '-F', 'raw', image.base]);
    const payload = join(directory, 'payload');
    await emptyPayload(payload);
    const console = { file: join(directory, 'console') };
    const { kernel, initrd } = image;
    const qemu = await startQemu({ kernel, initrd, directory, disk: image.base, payload, console });
    try {
      const agent = openAgent(qemu.agent);
      const late = setTimeout(() => void qemu.kill(), BOOT_LIMIT_MS);
      await Promise.race([agent.ready, qemu.exited]);
      clearTimeout(late);
      const { code, stderr } = await agent.run(['sh', '-c', 'udevadm settle && sync'], { timeoutMs: 30_000 });
      if (code !== 0) throw new Error(`the VM has booted, but: ${stderr}`);
      await saveState(qemu, image.state);
    } catch (error) {
      throw new Error(`${await readFile(console.file, 'utf8').catch(() => '')}\n${error}`, { cause: error });
    } finally {
      await qemu.kill();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function emptyPayload(path: string): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(PAYLOAD_BYTES);
  await file.close();
}

function imageIn(folder: string): KernelImage {
  const at = (name: string) => join(folder, name);
  return { kernel: at('vmlinuz'), initrd: at('initrd'), base: at('base.qcow2'), state: at('state') };
}

async function key(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  // A state is read by the QEMU that wrote it, on the machine that it was written on.
  hash.update((await execute('qemu-system-x86_64', ['--version'])).stdout);
  const inputs = (await readdir(parts)).sort().map((name) => join(parts, name));
  for (const file of [...inputs, fileURLToPath(new URL('kernel-qemu.ts', import.meta.url))]) {
    hash.update(`\0${file.slice(root.length)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}
