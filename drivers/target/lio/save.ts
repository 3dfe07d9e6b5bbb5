/** Keeps targetcli's file in step with what is exported. */
import { readFile, stat } from 'node:fs/promises';
import { type Executor, failure, messageOf, writeFileAtomically } from '#driver';
import { type Edit, editSaved } from './saved-config.ts';

type Edits = readonly (readonly [iqn: string, edit: Edit])[];

/** Puts the changes into the file, together with those of others who call meanwhile; resolves when they are in it. */
export type Save = (edits: Edits) => Promise<void>;

const DIRECTORIES = ['/etc/rtslib-fb-target', '/etc/target'] as const;
const TARGETCTL_LIMIT_MS = 120_000;

/** What all backends of this process that share a file share. */
const queues = new Map<string, Queue>();
interface Queue {
  pending: (readonly [iqn: string, edit: Edit])[];
  /** The next write, which takes what is pending when it begins. */
  next: Promise<void> | null;
  last: Promise<unknown>;
}

/** `file` is the option: null for the system's own, empty for none. */
export function createSave(file: string | null, executor: Executor): Save {
  if (file === '') return async () => {};
  return async (edits) => {
    const path = file ?? (await systemFile());
    if (path === null || edits.length === 0) return;
    const queue = queues.get(path) ?? { pending: [], next: null, last: Promise.resolve() };
    queues.set(path, queue);
    queue.pending.push(...edits);
    queue.next ??= queue.last.then(async () => {
      const taken = queue.pending;
      queue.pending = [];
      queue.next = null;
      await write(path, taken, executor);
    });
    const mine = queue.next;
    queue.last = mine.catch(() => {});
    await mine;
  };
}

/** As root by ourselves; else rtslib's own tool, as root, writes down what the kernel has. */
async function write(path: string, edits: Edits, executor: Executor): Promise<void> {
  try {
    if (executor.viaHelper === true) {
      await executor.run({ argv: ['targetctl', 'save'], privileged: true, timeoutMs: TARGETCTL_LIMIT_MS });
      return;
    }
    const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    const after = editSaved(before, edits, path);
    if (after !== before) await writeFileAtomically(path, after);
  } catch (error) {
    const reason = `the exports could not be saved in ${path}: ${messageOf(error)}`;
    throw failure('VolumeBackendAPIException', { reason }, error);
  }
}

/** Where the system keeps it; null where it has no such directory. */
async function systemFile(): Promise<string | null> {
  for (const directory of DIRECTORIES) {
    const isThere = await stat(directory).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return `${directory}/saveconfig.json`;
  }
  return null;
}
