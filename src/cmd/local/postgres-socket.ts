import { chmod, lstat, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically } from '../../lib/files.ts';

/** The kernel's limit for the path of a unix socket. */
const SOCKET_PATH_LIMIT_BYTES = 107;
const SOCKET_NAME = '.s.PGSQL.5432';
const REMEMBERED = 'postgres.socket-directory';

/**
 * A private directory whose path is short enough for a unix socket: `run` in the state directory, else one under /run or
 * the temporary directory, remembered in the state directory so that the next start takes the same.
 */
export async function socketDirectory(stateDir: string): Promise<string> {
  const own = join(stateDir, 'run');
  if (isShortEnough(own)) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    await chmod(own, 0o700);
    return own;
  }
  const remembered = (await readFile(join(stateDir, REMEMBERED), 'utf8').catch(() => '')).trim();
  if (remembered !== '' && isShortEnough(remembered) && (await isPrivate(remembered))) return remembered;
  const made = await mkdtemp('/run/ashlar-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-')));
  await writeFileAtomically(join(stateDir, REMEMBERED), `${made}\n`);
  return made;
}

/** True if a socket in that directory can be bound. */
export function isShortEnough(directory: string): boolean {
  return Buffer.byteLength(join(directory, SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES;
}

/** A directory of ours that nobody else can enter; somebody else may have made one of that name meanwhile. */
async function isPrivate(directory: string): Promise<boolean> {
  const stat = await lstat(directory).catch(() => null);
  return stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}
