/** The processes of the daemon's commands: started in a session of their own, found and ended wherever they went. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { AnswerHeader } from './frames.ts';

export interface Job {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: Buffer;
  readonly limitBytes: number;
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
const GENTLE_MS = 2_000;
const END_LIMIT_MS = 4_000;
/** A process that waits in the kernel for a device does not end by SIGKILL: after so long nobody waits for it any more. */
const PATIENCE_MS = 5_000;
const LEFT_BEHIND = 'it does not end, the kernel lets it wait, probably for a device; look with dmesg and dmsetup info';
const NOTHING = Buffer.alloc(0);

/** Runs it to its end, whichever comes first: its own, too much output, the signal, whose reason says how it ended. */
export function run({ argv, env, input, limitBytes, mark }: Job, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const stdin = input.length === 0 ? 'ignore' : 'pipe';
    const options = { env: { ...env, [MARK]: mark }, cwd: '/', detached: true } as const;
    const child = spawn(argv[0]!, argv.slice(1), { ...options, stdio: [stdin, 'pipe', 'pipe'] });
    let stop: Ended['outcome'] | null = null;
    let ending: Promise<unknown> | null = null;
    const end = (why: Ended['outcome']) => {
      if (stop !== null) return;
      stop = why;
      // The group, while its leader is there (its number is nobody else's then); and everything that left the group.
      if (child.exitCode === null && child.signalCode === null) signalTo(-child.pid!, 'SIGKILL');
      ending = endMarked((each) => each === mark, 0);
      // A process that got away may hold the pipes: they are not waited for.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      setTimeout(() => resolve({ ...ended(why), stderr: Buffer.from(LEFT_BEHIND) }), PATIENCE_MS);
    };
    signal.addEventListener('abort', () => end(signal.reason));
    let bytes = 0;
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      stream?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limitBytes) end('output limit');
        else chunks.push(chunk);
      });
      return chunks;
    });
    for (const stream of child.stdio) stream?.on('error', () => {});
    child.stdin?.end(input);
    child.once('error', (error) => resolve(ended('missing', error.message)));
    child.once('close', async (code, by) => {
      await ending;
      const outcome = stop ?? (by === null ? 'exit' : 'signal');
      const exitCode = stop === null ? code : null;
      resolve({ outcome, exitCode, detail: by ?? '', stdout: Buffer.concat(stdout!), stderr: Buffer.concat(stderr!) });
    });
  });
}

export function ended(outcome: Ended['outcome'], detail = '', stdout: Buffer = NOTHING): Ended {
  return { outcome, exitCode: outcome === 'exit' ? 0 : null, detail, stdout, stderr: NOTHING };
}

/**
 * Ends the processes whose mark the test accepts, those too that they start meanwhile, and says how many there were. Gently
 * at first: lvm lets SIGTERM wait while it writes its metadata. Returns when nothing is left, or after a limit.
 */
export async function endMarked(accepts: (mark: string) => boolean, gentleMs = GENTLE_MS): Promise<number> {
  const startedAt = performance.now();
  const seen = new Set<number>();
  for (;;) {
    const found = marked(accepts);
    const lateMs = performance.now() - startedAt;
    if (found.length === 0 || lateMs > END_LIMIT_MS) return seen.size;
    for (const pid of found) signalTo(pid, lateMs < gentleMs ? 'SIGTERM' : 'SIGKILL');
    for (const pid of found) seen.add(pid);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Processes whose mark the test accepts. */
export function marked(accepts: (mark: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((pid) => {
      const mark = /^\d+$/.test(pid)
        ? new RegExp(`(?:^|\0)${MARK}=([^\0]*)`).exec(readProc(pid, 'environ'))?.[1]
        : undefined;
      return mark !== undefined && accepts(mark) && !SPARED.includes(readProc(pid, 'comm').trim());
    })
    .map(Number);
}

/** A helper, in a way that no later one is named: its process id and when it started. Its commands' marks begin so. */
export function markOf(pid: number | string): string {
  const stat = readProc(pid, 'stat');
  return `${pid}.${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}.`;
}

/** Left by a helper that was killed: nobody watches its deadline. */
export function isOrphan(mark: string): boolean {
  return !mark.startsWith(markOf(mark.split('.')[0]!));
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
  } catch {
    // It has gone.
  }
}
