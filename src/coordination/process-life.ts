/** Which life of which process holds something, so that a successor on the same machine can tell that it is over. */
import { readFileSync, readlinkSync } from 'node:fs';

/** Process ids are used again: a life is one boot of one machine, one pid namespace, a pid and its moment of start. */
export interface ProcessLife {
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat (proc(5)). */
  readonly startTicks: number;
}

/** This process' own; null where /proc does not say, as on other systems than Linux. */
export function ownLife(): ProcessLife | null {
  const place = ownPlace();
  const startTicks = startOf(process.pid);
  return place === null || startTicks === null ? null : { ...place, pid: process.pid, startTicks };
}

/**
 * True only where that process is known to have ended: same boot, same namespace, and nobody of that pid and start, or
 * only what is left of one that has ended. Everything else may live on another machine, and is unknown.
 */
export function isOver(life: ProcessLife): boolean {
  const place = ownPlace();
  if (place === null || place.boot !== life.boot || place.namespace !== life.namespace) return false;
  return startOf(life.pid) !== life.startTicks;
}

/** `{"boot":…}` as it stands in a lease, or null for what is no life. */
export function readLife(text: string): ProcessLife | null {
  try {
    const life = JSON.parse(text) as Partial<ProcessLife> | null;
    const { boot, namespace, pid, startTicks } = life ?? {};
    if (typeof boot !== 'string' || typeof namespace !== 'string') return null;
    if (!Number.isSafeInteger(pid) || !Number.isSafeInteger(startTicks)) return null;
    return { boot, namespace, pid: pid!, startTicks: startTicks! };
  } catch {
    return null;
  }
}

/**
 * When a process began, from its stat line; null for one that has ended and only waits to be collected (state Z or X).
 * The name in the second field may hold blanks and parentheses, so fields are counted after the last parenthesis.
 */
export function startTicksOf(stat: string): number | null {
  const [state = 'X', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[18]);
  return state === 'Z' || state === 'X' || !Number.isSafeInteger(ticks) ? null : ticks;
}

function startOf(pid: number): number | null {
  try {
    return startTicksOf(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

function ownPlace(): Pick<ProcessLife, 'boot' | 'namespace'> | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { boot, namespace: readlinkSync('/proc/self/ns/pid') };
  } catch {
    return null;
  }
}
