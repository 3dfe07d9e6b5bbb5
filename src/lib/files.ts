import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failpoint } from './failpoint.ts';

/**
 * Replaces a file so that a reader, or a crash at any moment, sees the old content or the new, never a part. Durable
 * when it returns. Mode defaults to 0600.
 */
export async function writeFileAtomically(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = temporaryOf(path);
  failpoint('file.write.before');
  const handle = await open(temporary, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  failpoint('file.rename.before');
  await rename(temporary, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  failpoint('file.write.after');
}

/** Removes a file, and what a cut-off writeFileAtomically left of it; one that is not there is fine. */
export async function removeFile(path: string): Promise<void> {
  failpoint('file.remove.before');
  for (const each of [temporaryOf(path), path]) {
    await unlink(each).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  failpoint('file.remove.after');
}

/** Where the new content stands until it takes the file's place. */
function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}
