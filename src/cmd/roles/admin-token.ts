import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The API's token, `<state_path>/admin-token`, 0600; made where there is none. Several processes may ask at once: one
 * makes it, all read the same.
 */
export async function adminTokenOf(statePath: string): Promise<string> {
  const file = join(statePath, 'admin-token');
  const known = await read(file);
  if (known !== null) return known;
  await mkdir(statePath, { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  await writeFile(own, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  try {
    // Unlike a rename it never replaces what another has made meanwhile.
    await link(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(own);
  }
  const made = await read(file);
  if (made === null) throw new Error(`${file} is empty. Remove it: the next start makes a token.`);
  return made;
}

async function read(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
