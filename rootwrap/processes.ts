/** The processes of the daemon's commands: started in a session of their own, found and ended wherever they went. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { AnswerHeader } from './frames.ts';

export interface Job {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly runAs: string;
  readonly input: Buffer;
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly diesWithUs: boolean;
  /** Stands in the environment of all that the command starts. */
  readonly mark: string;
  readonly signal: AbortSignal;
}

export interface Ended {
  readonly outcome: AnswerHeader['outcome'];
  readonly exitCode: number | null;
  readonly detail: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const MARK = 'ASHLAR_ROOTWRAP';
/** Daemons of LVM that its commands start and leave running for all. */
const SPARED = ['dmeventd', 'lvmpolld'];
const SETPRIV = '/usr/bin/setpriv';

/** Runs it to its end, whichever comes first: its own, the deadline, too much output, the abort. Never rejects. */
export function run(job: Job): Promise<Ended> {
  const argv = job.diesWithUs && existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...job.argv] : job.argv;
  return new Promise((resolve) => {
    const ids = job.runAs === 'root' ? {} : idsOf(job.runAs);
    if (ids === null) return resolve(ended('refused', `there is no user ${job.runAs}`));
    const child = spawn(argv[0]!, argv.slice(1), {
      ...ids,
      env: { ...job.env, [MARK]: job.mark },
      cwd: '/',
      detached: true,
      stdio: [job.input.length === 0 ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let stop: Ended['outcome'] | null = null;
    const end = (why: Ended['outcome']) => {
      if (stop !== null) return;
      stop = why;
      kill(child, job.mark);
      // A process that got away may hold the pipes: they are not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const timer = setTimeout(() => end('timeout'), job.timeoutMs);
    const onAbort = () => end('aborted');
    job.signal.addEventListener('abort', onAbort, { once: true });
    const output = collect(child, job.outputLimitBytes, () => end('output limit'));
    feed(child.stdin, job.input);
    const settle = (result: Ended) => {
      clearTimeout(timer);
      job.signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    child.once('error', (error) => settle(ended('missing', error.message)));
    child.once('close', (code, signal) => {
      const [stdout, stderr] = output();
      const outcome = stop ?? (signal === null ? 'exit' : 'signal');
      settle({ outcome, exitCode: stop === null ? code : null, detail: signal ?? '', stdout, stderr });
    });
  });
}

export function ended(outcome: Ended['outcome'], detail: string, stdout: Buffer = Buffer.alloc(0)): Ended {
  return { outcome, exitCode: outcome === 'exit' ? 0 : null, detail, stdout, stderr: Buffer.alloc(0) };
}

function feed(stdin: Writable | null, input: Buffer): void {
  stdin?.on('error', () => {});
  stdin?.end(input);
}

function collect(child: ChildProcess, limit: number, onTooMuch: () => void): () => [Buffer, Buffer] {
  let bytes = 0;
  const gather = (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) onTooMuch();
      else chunks.push(chunk);
    });
    stream?.on('error', () => {});
    return () => Buffer.concat(chunks);
  };
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  return () => [stdout(), stderr()];
}

/** Ends the group while its leader is there (its number is nobody else's then), and everything that left the group. */
function kill(child: ChildProcess, mark: string): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signalTo(-child.pid, 'SIGKILL');
  // One that forks meanwhile is met in the next round.
  for (let round = 0; round < 10; round += 1) {
    const found = marked((value) => value === mark);
    if (found.length === 0) return;
    for (const pid of found) signalTo(pid, 'SIGKILL');
  }
}

/** This process, in a way that no later one is named. */
export function ownMark(): string {
  return `${process.pid}.${startTimeOf(process.pid)}`;
}

/**
 * Ends what daemons have left behind that were killed: nobody watches its deadline. Gently first: lvm lets SIGTERM wait
 * while it writes its metadata. Returns when nothing is left, or after the limit.
 */
export async function endOrphans(limitMs: number): Promise<number> {
  const startedAt = performance.now();
  const isOrphan = (mark: string) => {
    const [pid, start] = mark.split('.');
    return startTimeOf(Number(pid)) !== start;
  };
  const count = marked(isOrphan).length;
  for (;;) {
    const orphans = marked(isOrphan);
    const late = performance.now() - startedAt;
    if (orphans.length === 0 || late > limitMs) return count;
    for (const pid of orphans) signalTo(pid, late > limitMs / 2 ? 'SIGKILL' : 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Processes whose mark the test accepts. */
export function marked(accepts: (mark: string) => boolean): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const entry = readFileSync(`/proc/${name}/environ`, 'latin1')
        .split('\0')
        .find((each) => each.startsWith(`${MARK}=`));
      if (entry === undefined || !accepts(entry.slice(MARK.length + 1))) return [];
      return SPARED.includes(readFileSync(`/proc/${name}/comm`, 'utf8').trim()) ? [] : [Number(name)];
    } catch {
      return [];
    }
  });
}

export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Of /etc/passwd; null for nobody. */
export function idsOf(user: string): { readonly uid: number; readonly gid: number } | null {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = fields.find(([name]) => name === user);
  return found === undefined ? null : { uid: Number(found[2]), gid: Number(found[3]) };
}
