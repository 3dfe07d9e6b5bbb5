/** Who can change what a path names; and the machine's answers for the decision. */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Look } from './match.ts';

const MAX_LINKS = 40;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const EXECUTABLE = 0o111;

/**
 * Why somebody else than root (and `owner`, where one was told) could change what the path names, or null. Every directory
 * and every symlink on the way counts; in a sticky directory the entry's own owner does.
 */
export function whyUntrusted(path: string, owner: number | null): string | null {
  let todo = resolve(path).split('/').filter(Boolean);
  for (let at = '/', links = 0; ; ) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return `${path}: ENOENT, it is not there`;
    const isOwned = found.uid === 0 || found.uid === owner;
    if (found.isSymbolicLink()) {
      links += 1;
      if (!isOwned || links > MAX_LINKS) return `${at} is somebody else's symlink`;
      todo = [...resolve(dirname(at), readlinkSync(at)).split('/').filter(Boolean), ...todo];
      at = '/';
    } else {
      const isOpen = (found.mode & OTHERS_WRITE) !== 0 && (todo.length === 0 || (found.mode & STICKY) === 0);
      if (!isOwned || isOpen) return `${at} can be changed by others than root`;
      const name = todo.shift();
      if (name === undefined) return null;
      at = join(at, name);
    }
  }
}

export function createLook(execDirs: readonly string[], owner: number | null): Look {
  const isTrusted = (path: string) => whyUntrusted(path, owner) === null;
  return {
    isTrusted,
    program: (name) =>
      (name.startsWith('/') ? [name] : execDirs.map((directory) => join(directory, name))).find(
        (path) => isTrusted(path) && isExecutable(path),
      ) ?? null,
    realPath,
    executableOf(pid) {
      try {
        return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
      } catch {
        return null;
      }
    },
  };
}

function realPath(path: string): string {
  const whole = resolve('/', path);
  try {
    return realpathSync(whole);
  } catch {
    return whole === '/' ? whole : join(realPath(dirname(whole)), basename(whole));
  }
}

function isExecutable(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && (found.mode & EXECUTABLE) !== 0;
}
