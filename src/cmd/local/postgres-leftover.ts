/** What an earlier run left behind in a data directory: a server that still runs, its orphans, a stale lock file. */
import { readdir, readFile, readlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log/logger.ts';
import { failure } from '../../model/errors.ts';

/**
 * How long an owner that was just killed gets to be gone; how long a server without one gets for its own shutdown, before it
 * is asked, and before it is pressed.
 */
const PATIENCE_MS = { owner: 1_000, ask: 5_000, press: 20_000, giveUp: 30_000 } as const;

/**
 * Returns when no process uses the data directory any more. A server whose ashlar died is stopping already (the kernel
 * told it): it is waited for, then asked to stop, then told to. One whose ashlar lives is refused.
 */
export async function settleLeftoverServer(options: {
  readonly dataDirectory: string;
  /** Process id of the ashlar that started the server last, null where that is not known. */
  readonly lastOwner: number | null;
  readonly log: Logger;
}): Promise<void> {
  const { dataDirectory, lastOwner, log } = options;
  const startedAt = performance.now();
  for (let asked = 0; ; ) {
    const users = await processesIn(dataDirectory);
    const lockHolder = await readLockHolder(dataDirectory);
    if (users.length === 0) {
      await removeForeignLock(dataDirectory, lockHolder);
      return;
    }
    const server = users.find((pid) => pid === lockHolder);
    const waitedMs = performance.now() - startedAt;
    if (server !== undefined && (await parentOf(server)) === lastOwner && waitedMs > PATIENCE_MS.owner) {
      const reason = `Another ashlar (process ${lastOwner}) runs on ${dataDirectory}. Stop it first, or give this one a state directory of its own.`;
      throw failure('ServiceUnavailable', { reason });
    }
    if (waitedMs > PATIENCE_MS.giveUp) {
      const reason = `Processes ${users.join(', ')} of an earlier run still use the database in ${dataDirectory}. End them (kill -QUIT ${server ?? users[0]}) and start again.`;
      throw failure('ServiceUnavailable', { reason });
    }
    const due = waitedMs > PATIENCE_MS.press ? 2 : waitedMs > PATIENCE_MS.ask ? 1 : 0;
    if (server !== undefined && due > asked) {
      asked = due;
      log.warn({ pid: server }, 'An earlier run left its database server running; asking it to stop.');
      signal(server, due === 1 ? 'SIGINT' : 'SIGQUIT');
    }
    await sleep(50);
  }
}

/** Server and backends alike have the data directory as their working directory. */
async function processesIn(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => ((await readlink(`/proc/${pid}/cwd`).catch(() => '')) === directory ? pid : null)),
  );
  return (await Promise.all(found.map(async (pid) => (pid !== null && (await isPostgres(pid)) ? pid : null)))).filter(
    (pid) => pid !== null,
  );
}

async function isPostgres(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === 'postgres';
}

/** First line of postmaster.pid, null without one. */
async function readLockHolder(dataDirectory: string): Promise<number | null> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? null : pid;
}

/**
 * A lock file whose process id meanwhile belongs to another program would make the server refuse to start. Only called
 * when no process uses the directory; all other stale lock files the server settles by itself.
 */
async function removeForeignLock(dataDirectory: string, holder: number | null): Promise<void> {
  if (holder === null || !signal(holder, 0)) return;
  await unlink(join(dataDirectory, 'postmaster.pid')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Fourth field of /proc/PID/stat; the second, a name in parentheses, may hold blanks. */
async function parentOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const parent = /\) \S (\d+) /.exec(stat)?.[1];
  return parent === undefined ? null : Number(parent);
}

/** False where there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
