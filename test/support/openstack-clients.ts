/** Debian's unmodified clients, python3-openstackclient and python3-cinderclient, against an API of a test. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('openstack-clients.py', import.meta.url));
/** One command takes a tenth of a second, the first one two seconds, on a busy machine much more. */
const TIMEOUT_MS = 60_000;

export interface ClientTarget {
  /** `http://127.0.0.1:port`. */
  readonly root: string;
  readonly token: string;
  readonly projectId: string;
  /** 3.70 unless said. */
  readonly version?: string;
}

export interface ClientResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Table = readonly Readonly<Record<string, string>>[];

/** False, or why the clients cannot be run here: for node:test's `skip`. */
export function clientsMissing(): string | false {
  try {
    for (const path of ['/usr/bin/openstack', '/usr/bin/cinder']) accessSync(path, constants.X_OK);
    return false;
  } catch {
    return 'python3-openstackclient and python3-cinderclient are not installed';
  }
}

/** Runs `openstack …`; any exit code is an answer. */
export async function runOpenstack(target: ClientTarget, ...args: readonly string[]): Promise<ClientResult> {
  return runCommand(['openstack', ...common(target), ...args]);
}

/** Runs `openstack … -f json` and reads what it prints. Throws with its stderr where it fails. */
export async function openstackJson<T>(target: ClientTarget, ...args: readonly string[]): Promise<T> {
  return JSON.parse(succeeded(await runOpenstack(target, ...args, '-f', 'json'), args)) as T;
}

/** Runs `cinder …`; any exit code is an answer. */
export async function runCinder(target: ClientTarget, ...args: readonly string[]): Promise<ClientResult> {
  return runCommand(['cinder', ...common(target), '--os-project-id', target.projectId, ...args]);
}

/** Runs `cinder …` and reads the table that it prints: one record per row. Throws with its stderr where it fails. */
export async function cinderTable(target: ClientTarget, ...args: readonly string[]): Promise<Table> {
  return readTable(succeeded(await runCinder(target, ...args), args));
}

function common({ root, token, projectId, version = '3.70' }: ClientTarget): string[] {
  const auth = ['--os-auth-type', 'admin_token', '--os-token', token, '--os-endpoint', `${root}/v3/${projectId}`];
  return [...auth, '--os-volume-api-version', version];
}

let runner: ReturnType<typeof startRunner> | undefined;
let last: Promise<unknown> = Promise.resolve();

/** All commands of this process run in one other, one after the other. */
function runCommand(argv: readonly string[]): Promise<ClientResult> {
  const answer = last.then(() => {
    runner ??= startRunner();
    return runner(argv);
  });
  last = answer.catch(() => {
    runner = undefined;
  });
  return answer;
}

/** It ends by itself when this process ends, and keeps it from ending only while a command runs. */
function startRunner() {
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', COLUMNS: '300' };
  const child = spawn(PYTHON, [SCRIPT], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const [stdin, stdout] = [child.stdin as Socket, child.stdout as Socket];
  child.unref();
  stdin.unref();
  stdout.unref();
  stdin.on('error', () => undefined); // said by the answer that does not come
  return async (argv: readonly string[]): Promise<ClientResult> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    stdout.ref();
    try {
      stdin.write(`${JSON.stringify(argv)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`${argv.join(' ')}: no answer, the clients' process is gone`);
      return JSON.parse(value);
    } finally {
      stdout.unref();
      clearTimeout(timer);
    }
  };
}

function succeeded({ code, stdout, stderr }: ClientResult, args: readonly string[]): string {
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

function readTable(text: string): Table {
  const [head = [], ...rows] = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return rows.map((cells) => Object.fromEntries(cells.map((cell, at) => [head[at] ?? '', cell])));
}
