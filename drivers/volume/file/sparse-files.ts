import { constants, type Stats } from 'node:fs';
import { copyFile, lstat, open, readdir, rename, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Executor, failpoint, failure, isFailure, type Logger, messageOf, removeFile } from '#driver';
import { checkName, folders, isOurs, type Kind, unfinishedName } from './names.ts';

/** Slowest disk that a copy's deadline is made for. */
const SLOWEST_COPY_BYTES_PER_SECOND = 10 * 1024 * 1024;
const SHORTEST_COPY_DEADLINE_MS = 60_000;
const PROGRESS_INTERVAL_MS = 10_000;
/** What a file system without reflinks answers to a clone request. */
const NO_REFLINK = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY', 'EXDEV', 'EINVAL']);

export interface SparseFile {
  readonly kind: Kind;
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * The effects of the file driver: sparse files in two folders below `directory`. A file has its final name only when it
 * is whole and on disk; until then it is `.unfinished-<name>`, which the next attempt or the delete removes.
 */
export function createSparseFiles({ directory, executor, log }: Dependencies) {
  const mayAct = () => executor.mayAct?.();
  const folder = (kind: Kind) => join(directory, folders[kind]);
  const path = (kind: Kind, name: string) => join(folder(kind), checkName(name));

  /** Size of a whole file of ours, or null. */
  async function find(kind: Kind, name: string): Promise<number | null> {
    const stats = await statOrNull(path(kind, name));
    if (stats === null) return null;
    if (stats.isFile()) return stats.size;
    throw failure('VolumeBackendAPIException', {
      reason: `${path(kind, name)} is no plain file, so it is not ours. Move it away, then try again.`,
    });
  }

  /** Makes the file in its unfinished name by `fill`, gives it `sizeBytes`, then its name. */
  async function make(kind: Kind, name: string, sizeBytes: number, fill: (unfinished: string) => Promise<void>) {
    const unfinished = join(folder(kind), unfinishedName(name));
    mayAct();
    await removeFile(unfinished);
    failpoint('sparsefile.fill.before');
    await fill(unfinished);
    // A process that stood still meanwhile finds what another has made instead.
    mayAct();
    const handle = await open(unfinished, 'r+');
    try {
      await handle.chmod(0o600);
      // What is beyond the copied bytes is a hole, which reads as zeros.
      await handle.truncate(sizeBytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    failpoint('sparsefile.name.before');
    if ((await find(kind, name)) !== null) {
      const reason = `${name} is there by now, made by another process, and is left as it is.`;
      throw failure('VolumeBackendAPIException', { reason });
    }
    mayAct();
    await rename(unfinished, path(kind, name));
    await syncDirectory(folder(kind));
    failpoint('sparsefile.name.after');
  }

  return {
    path,
    find,
    createEmpty: (kind: Kind, name: string, sizeBytes: number) => make(kind, name, sizeBytes, createFile),

    /** A copy of a whole file as it is now, grown to sizeBytes. By reflink at one moment, else extent after extent. */
    createCopy: (kind: Kind, name: string, sizeBytes: number, source: { readonly kind: Kind; readonly name: string }) =>
      make(kind, name, sizeBytes, async (unfinished) => {
        const from = path(source.kind, source.name);
        if (await reflink(from, unfinished)) return;
        await copyExtents(executor, log, from, unfinished);
      }),

    async grow(kind: Kind, name: string, sizeBytes: number): Promise<void> {
      failpoint('sparsefile.grow.before');
      mayAct();
      const handle = await open(path(kind, name), 'r+');
      try {
        await handle.truncate(sizeBytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      failpoint('sparsefile.grow.after');
    },

    /** Removes the file, whole or unfinished. One that is not there is fine. */
    async remove(kind: Kind, name: string): Promise<void> {
      await removeFile(join(folder(kind), unfinishedName(name)));
      if ((await find(kind, name)) === null) return;
      mayAct();
      await removeFile(path(kind, name));
      await syncDirectory(folder(kind));
    },

    /** Every whole file of ours. */
    async list(): Promise<readonly SparseFile[]> {
      const lists = await Promise.all([
        listFolder(folder('volume'), 'volume'),
        listFolder(folder('snapshot'), 'snapshot'),
      ]);
      return lists.flat();
    },

    /** Of the file system below the directory, in bytes. */
    async space(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
      const { blocks, bavail, bsize } = await statfs(directory);
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    },
  };
}

interface Dependencies {
  readonly directory: string;
  readonly executor: Executor;
  readonly log: Logger;
}

async function createFile(path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  await handle.close();
}

/** True when the file system made a clone that shares the source's blocks: at once, and of one moment. */
async function reflink(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (!NO_REFLINK.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await removeFile(to);
    return false;
  }
}

/** Copies the data extents alone; runs of zeros become holes again. */
async function copyExtents(executor: Executor, log: Logger, from: string, to: string): Promise<void> {
  const totalBytes = await bytesOnDisk(from);
  const progress = setInterval(async () => {
    const copiedBytes = await bytesOnDisk(to).catch(() => 0);
    log.info({ from, copiedBytes, totalBytes }, 'copying');
  }, PROGRESS_INTERVAL_MS);
  try {
    await executor.run({
      argv: ['cp', '--sparse=always', '--reflink=auto', '--', from, to],
      timeoutMs: SHORTEST_COPY_DEADLINE_MS + (totalBytes / SLOWEST_COPY_BYTES_PER_SECOND) * 1000,
      diesWithUs: true,
    });
  } catch (error) {
    executor.mayAct?.();
    // A part of a copy is of no use and takes room.
    await removeFile(to);
    if (isFailure(error) && /No space left on device/.test(messageOf(error))) {
      throw failure('BackendFull', { freeGb: 0, requestedGb: Math.ceil(totalBytes / 1024 ** 3) }, error);
    }
    throw error;
  } finally {
    clearInterval(progress);
  }
}

async function listFolder(folder: string, kind: Kind): Promise<SparseFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files: SparseFile[] = [];
  for (const entry of entries) {
    if (!entry.isFile() || !isOurs(entry.name)) continue;
    const stats = await statOrNull(join(folder, entry.name));
    // It may have been deleted since the listing.
    if (stats !== null) files.push({ kind, name: entry.name, sizeBytes: stats.size });
  }
  return files;
}

async function bytesOnDisk(path: string): Promise<number> {
  return (await lstat(path)).blocks * 512;
}

async function statOrNull(path: string): Promise<Stats | null> {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
