/** Who can change what a path names; and the machine's answers for the decision. */
import { accessSync, constants, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Look } from './match.ts';

const MAX_LINKS = 40;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Why somebody else than root (and `owner`, where one was told) could change what the path names, or null. Every directory
 * and every symlink on the way counts; in a sticky directory the entry's own owner does.
 */
export function whyUntrusted(path: string, owner: number | null): string | null {
  const isOwner = (uid: number) => uid === 0 || uid === owner;
  let todo = resolve(path).split('/').filter(Boolean);
  let at = '/';
  let links = 0;
  try {
    for (;;) {
      const { uid, mode } = lstatSync(at);
      const last = todo.length === 0;
      const openToOthers = (mode & OTHERS_WRITE) !== 0 && (last || (mode & STICKY) === 0);
      if (!isOwner(uid) || openToOthers) return `${at} can be changed by others than root`;
      const [name, ...rest] = todo;
      if (name === undefined) return null;
      const next = join(at, name);
      const entry = lstatSync(next);
      if (!entry.isSymbolicLink()) [at, todo] = [next, rest];
      else {
        links += 1;
        if (!isOwner(entry.uid) || links > MAX_LINKS) return `${next} is somebody else's symlink`;
        [at, todo] = ['/', [...resolve(at, readlinkSync(next)).split('/').filter(Boolean), ...rest]];
      }
    }
  } catch (error) {
    return `${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

export function createLook(execDirs: readonly string[], owner: number | null): Look {
  return {
    program(name) {
      const candidates = name.startsWith('/') ? [name] : execDirs.map((directory) => join(directory, name));
      return candidates.find((path) => isExecutable(path) && whyUntrusted(path, owner) === null) ?? null;
    },
    realPath,
    executableOf(pid) {
      try {
        return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
      } catch {
        return null;
      }
    },
    isTrusted: (path) => whyUntrusted(path, owner) === null,
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
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
