/**
 * The volume group of a one-command node: on a loop device over a sparse file in the state directory. Loop devices do
 * not outlive a reboot, the file does: each start puts it on one again.
 */
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '../../driver/executor.ts';
import type { Logger } from '../../log/logger.ts';

const TIMEOUT_MS = 30_000;
const GIB = 1024 ** 3;

/** Makes `<state>/<name>.img` a volume group, as large as four fifths of what is free. Does nothing where it is one. */
export async function ensureLoopVolumeGroup(options: {
  readonly stateDir: string;
  readonly name: string;
  readonly executor: Executor;
  readonly log: Logger;
}): Promise<void> {
  const { executor, name, log } = options;
  const image = join(options.stateDir, `${name}.img`);
  await ensureImage(image);
  const run = async (...argv: [string, ...string[]]) =>
    (await executor.run({ argv, privileged: true, timeoutMs: TIMEOUT_MS })).stdout.trim();
  const attached = await run('losetup', '--associated', image, '--noheadings', '--output', 'NAME');
  const device = attached.split('\n')[0] || (await run('losetup', '--find', '--show', image));
  const groups = await run('vgs', '--noheadings', '--options', 'vg_name');
  if (groups.split(/\s+/).includes(name)) return;
  log.info({ device, volume_group: name, image }, 'making a volume group');
  await run('vgcreate', '--yes', name, device);
}

async function ensureImage(path: string): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    if ((await handle.stat()).size > 0) return;
    const { bavail, bsize } = await statfs(path);
    await handle.truncate(Math.max(4, Math.floor((bavail * bsize * 0.8) / GIB)) * GIB);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
