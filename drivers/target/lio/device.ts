import { readFile, stat } from 'node:fs/promises';
import { failure, messageOf } from '#driver';
import type { Device } from './wanted.ts';

/** Looks at a device. Throws ExportFailure for one that is not there, or is neither a block device nor a file. */
export async function lookAtDevice(volumeId: string, path: string): Promise<Device> {
  const refuse = (reason: string, cause?: unknown) => failure('ExportFailure', { id: volumeId, reason }, cause);
  const found = await stat(path).catch((error: unknown) => {
    throw refuse(`its device ${path} cannot be looked at: ${messageOf(error)}. Make it appear, then try again.`, error);
  });
  if (found.isFile()) return { kind: 'file', sizeBytes: found.size, discards: false };
  if (!found.isBlockDevice()) throw refuse(`${path} is neither a block device nor a plain file.`);
  return { kind: 'block', sizeBytes: 0, discards: await discards(found.rdev) };
}

/** As the kernel says; a partition asks its disk. */
async function discards(rdev: number): Promise<boolean> {
  const [major, minor] = [Math.floor(rdev / 256) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
  for (const place of ['queue', '../queue']) {
    const path = `/sys/dev/block/${major}:${minor}/${place}/discard_max_bytes`;
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return Number(text) > 0;
  }
  return false;
}
