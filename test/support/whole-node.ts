/** A node as a person starts it (`ashlar node` alone, its own PostgreSQL and tgtd), and the command line beside it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE, eventually, type NodeProcess, startNodeProcess } from './node-process.ts';

export interface WholeNode {
  readonly stateDir: string;
  /** The one that runs. */
  node(): NodeProcess;
  restart(): Promise<NodeProcess>;
  /** SIGKILL for the node and every process that it started; returns when all are gone. */
  killTree(): Promise<void>;
  /** Process ids of the node and of all that it started. */
  tree(): Promise<number[]>;
  /** The process of that program among them; rejects where there is none. */
  childNamed(program: string): Promise<number>;
  /** Runs `ashlar …` as a person would, and answers what it prints; rejects for an exit code other than 0. */
  ashlar(...argv: readonly string[]): Promise<string>;
  /** As ashlar, with whatever exit code. */
  tryAshlar(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }>;
  log(): Promise<string>;
  close(): Promise<void>;
}

export async function startWholeNode(config?: string): Promise<WholeNode> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ashlar-node-'));
  if (config !== undefined) await writeFile(join(stateDir, 'ashlar.conf'), config);
  let current = await startNodeProcess({ stateDir });
  const tryAshlar = (...argv: readonly string[]) => runAshlar(stateDir, argv);
  return {
    stateDir,
    node: () => current,
    async restart() {
      current = await startNodeProcess({ stateDir });
      return current;
    },
    async killTree() {
      const pids = await treeOf(current.pid);
      for (const pid of pids) killIfThere(pid);
      await current.exited;
      await eventually('the processes to be gone', async () =>
        (await Promise.all(pids.map(isAlive))).includes(true) ? undefined : true,
      );
    },
    tree: () => treeOf(current.pid),
    async childNamed(program) {
      for (const pid of await treeOf(current.pid)) {
        const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
        if (argv[0]?.endsWith(`/${program}`) === true) return pid;
      }
      throw new Error(`no ${program} among the node's processes`);
    },
    async ashlar(...argv) {
      const { code, out, err } = await tryAshlar(...argv);
      if (code !== 0) throw new Error(`ashlar ${argv.join(' ')} ended with ${code}: ${err}`);
      return out.trim();
    },
    tryAshlar,
    log: () => readFile(join(stateDir, 'log/ashlar.log'), 'utf8'),
    async close() {
      await current.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

function runAshlar(stateDir: string, argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BUNDLE, ...argv, '--state-dir', stateDir], { timeout: 120_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    );
  });
}

/** The process and its descendants, by /proc. */
async function treeOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => null);
    if (stat !== null) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const found = [root];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

/** A zombie has ended: only its parent has not asked yet. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && !/\) Z /.test(stat);
}

export async function aliveAmong(pids: readonly number[]): Promise<number[]> {
  const alive = await Promise.all(pids.map(isAlive));
  return pids.filter((_, index) => alive[index]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
