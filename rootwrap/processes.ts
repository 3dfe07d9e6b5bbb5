/** The processes of the daemon's commands: started in a session of their own, found and ended wherever they went. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { AnswerHeader } from './frames.ts';

export interface Job {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: Buffer;
  readonly outputLimitBytes: number;
  /** Stands in the environment of all that the command starts. */
  readonly mark: string;
}

export interface Ended extends Pick<AnswerHeader, 'outcome' | 'exitCode' | 'detail'> {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const MARK = 'ASHLAR_ROOTWRAP';
/** Daemons of LVM that its commands start and leave running for all. */
const SPARED = ['dmeventd', 'lvmpolld'];
/** A process that waits in the kernel for a device does not end by SIGKILL: after so long nobody waits for it any more. */
const END_LIMIT_MS = 5_000;
const LEFT_BEHIND = 'it does not end, the kernel lets it wait, probably for a device; look with dmesg and dmsetup info';

/** Runs it to its end, whichever comes first: its own, too much output, the signal, whose reason says how it ended. */
export function run({ argv, env, input, outputLimitBytes, mark }: Job, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const stdin = input.length === 0 ? 'ignore' : 'pipe';
    const options = { env: { ...env, [MARK]: mark }, cwd: '/', detached: true } as const;
    const child = spawn(argv[0]!, argv.slice(1), { ...options, stdio: [stdin, 'pipe', 'pipe'] });
    let stop: Ended['outcome'] | null = null;
    let patience: NodeJS.Timeout | undefined;
    const end = (why: Ended['outcome']) => {
      if (stop !== null) return;
      stop = why;
      kill(child, mark);
      // A process that got away may hold the pipes: they are not waited for.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      patience = setTimeout(() => {
        resolve({
          outcome: why,
          exitCode: null,
          detail: '',
          stdout: Buffer.alloc(0),
          stderr: Buffer.from(LEFT_BEHIND),
        });
      }, END_LIMIT_MS);
    };
    const onAbort = () => end(signal.reason);
    signal.addEventListener('abort', onAbort);
    let bytes = 0;
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      stream?.on('error', () => {});
      stream?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > outputLimitBytes) end('output limit');
        else chunks.push(chunk);
      });
      return chunks;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (error) => resolve(ended('missing', error.message)));
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(patience);
      const outcome = stop ?? (by === null ? 'exit' : 'signal');
      const exitCode = stop === null ? code : null;
      resolve({ outcome, exitCode, detail: by ?? '', stdout: Buffer.concat(stdout!), stderr: Buffer.concat(stderr!) });
    });
  });
}

export function ended(outcome: Ended['outcome'], detail: string, stdout: Buffer = Buffer.alloc(0)): Ended {
  return { outcome, exitCode: outcome === 'exit' ? 0 : null, detail, stdout, stderr: Buffer.alloc(0) };
}

/** Ends the group while its leader is there (its number is nobody else's then), and everything that left the group. */
function kill({ pid, exitCode, signalCode }: ChildProcess, mark: string): void {
  if (pid !== undefined && exitCode === null && signalCode === null) signalTo(-pid, 'SIGKILL');
  // One that forks meanwhile is met in the next round.
  for (let round = 0; round < 10; round += 1) {
    const found = marked((each) => each === mark);
    if (found.length === 0) return;
    for (const each of found) signalTo(each, 'SIGKILL');
  }
}

/**
 * Ends the processes whose mark the test accepts, and says how many there were. Gently for half of the limit: lvm lets
 * SIGTERM wait while it writes its metadata. Returns when nothing is left, or after the limit.
 */
export async function endMarked(accepts: (mark: string) => boolean, limitMs: number): Promise<number> {
  const startedAt = performance.now();
  const count = marked(accepts).length;
  for (;;) {
    const found = marked(accepts);
    const lateMs = performance.now() - startedAt;
    if (found.length === 0 || lateMs > limitMs) return count;
    for (const pid of found) signalTo(pid, lateMs > limitMs / 2 ? 'SIGKILL' : 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Processes whose mark the test accepts. */
export function marked(accepts: (mark: string) => boolean): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    const entry = readProc(name, 'environ')
      .split('\0')
      .find((each) => each.startsWith(`${MARK}=`));
    if (entry === undefined || !accepts(entry.slice(MARK.length + 1))) return [];
    return SPARED.includes(readProc(name, 'comm').trim()) ? [] : [Number(name)];
  });
}

/** A helper, in a way that no later one is named: its process id and when it started. Its commands' marks begin so. */
export function markOf(pid: number | string): string {
  const stat = readProc(pid, 'stat');
  return `${pid}.${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}

/** Left by a helper that was killed: nobody watches its deadline. */
export function isOrphan(mark: string): boolean {
  return !mark.startsWith(`${markOf(mark.split('.')[0]!)}.`);
}

/** Empty where the process has gone. */
function readProc(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
