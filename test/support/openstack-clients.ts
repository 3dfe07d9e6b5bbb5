/** Debian's unmodified clients, python3-openstackclient and python3-cinderclient, against an API of a test. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const OPENSTACK = '/usr/bin/openstack';
const CINDER = '/usr/bin/cinder';
/** One call takes about two seconds, most of it the start of Python. */
const TIMEOUT_MS = 60_000;

export interface ClientTarget {
  /** `http://127.0.0.1:port`. */
  readonly root: string;
  readonly token: string;
  readonly projectId: string;
  /** For example `3.70`. */
  readonly version?: string;
}

export interface ClientResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** False, or why the clients cannot be run here: for node:test's `skip`. */
export function clientsMissing(): string | false {
  try {
    for (const path of [OPENSTACK, CINDER]) accessSync(path, constants.X_OK);
    return false;
  } catch {
    return 'python3-openstackclient and python3-cinderclient are not installed';
  }
}

/** Runs `openstack …`; any exit code is an answer. */
export async function runOpenstack(target: ClientTarget, ...args: readonly string[]): Promise<ClientResult> {
  return runClient(OPENSTACK, [...common(target), ...args]);
}

/** Runs `openstack … -f json` and reads what it prints. Throws with its stderr where it fails. */
export async function openstackJson<T>(target: ClientTarget, ...args: readonly string[]): Promise<T> {
  return JSON.parse(succeeded(await runOpenstack(target, ...args, '-f', 'json'), args)) as T;
}

/** Runs `cinder …`; any exit code is an answer. */
export async function runCinder(target: ClientTarget, ...args: readonly string[]): Promise<ClientResult> {
  return runClient(CINDER, [...common(target), '--os-project-id', target.projectId, ...args]);
}

/** Runs `cinder …` and reads the table that it prints: one record per row. Throws with its stderr where it fails. */
export async function cinderTable(
  target: ClientTarget,
  ...args: readonly string[]
): Promise<readonly Readonly<Record<string, string>>[]> {
  const lines = succeeded(await runCinder(target, ...args), args).split('\n');
  const [head, ...rows] = lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return rows.map((cells) => Object.fromEntries(cells.map((cell, at) => [head![at]!, cell])));
}

function common({ root, token, projectId, version = '3.70' }: ClientTarget): string[] {
  const endpoint = `${root}/v3/${projectId}`;
  const auth = ['--os-auth-type', 'admin_token', '--os-token', token, '--os-endpoint', endpoint];
  return [...auth, '--os-volume-api-version', version];
}

function succeeded({ code, stdout, stderr }: ClientResult, args: readonly string[]): string {
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

async function runClient(path: string, args: readonly string[]): Promise<ClientResult> {
  const env = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', COLUMNS: '300' };
  try {
    const { stdout, stderr } = await run(path, args, { env, timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}
