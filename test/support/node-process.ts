/** A real `ashlar node` process, from the bundle that ships. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BUNDLE = fileURLToPath(new URL('../../dist/ashlar.js', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

export interface ApiClient {
  /** A request below `/v3/admin`, at the newest microversion; the body parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read, not typed, in tests.
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, any> }>;
}

export interface NodeProcess extends ApiClient {
  readonly pid: number;
  /** `http://127.0.0.1:PORT/v3`. */
  readonly url: string;
  readonly token: string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** What it printed so far. */
  output(): string;
  /** TERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts it and waits for the banner. Rejects with what it printed when it ends before. */
export async function startNodeProcess(options: {
  readonly stateDir: string;
  readonly configFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command line that runs another, as somebody else perhaps, in its own place. */
  readonly by?: (...argv: readonly string[]) => [string, ...string[]];
}): Promise<NodeProcess> {
  if (!existsSync(BUNDLE)) throw new Error('dist/ashlar.js is missing: npm run build');
  const config = options.configFile === undefined ? [] : ['--config-file', options.configFile];
  const argv = [process.execPath, BUNDLE, 'node', '--state-dir', options.stateDir, ...config] as const;
  const [file, ...rest] = options.by?.(...argv) ?? argv;
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let text = '';
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${text}`)), READY_TIMEOUT_MS);
    const onData = (chunk: Buffer) => {
      text += chunk;
      const found = /API: (http\S+)/.exec(text);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[1]!);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    void exited.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code ?? signal} before it was ready:\n${text}`));
    });
  });
  const token = (await readFile(join(options.stateDir, 'admin-token'), 'utf8')).trim();
  return {
    pid: child.pid!,
    url,
    token,
    exited,
    output: () => text,
    ...openClient(url, token),
    stop: () => end(child, exited, 'SIGTERM'),
    kill: () => end(child, exited, 'SIGKILL'),
  };
}

/** Requests of an admin to the API at `http://…/v3`. */
export function openClient(url: string, token: string): ApiClient {
  return { request: (method, path, body) => request(`${url}/admin${path}`, token, method, body) };
}

async function request(url: string, token: string, method: string, body: unknown) {
  const response = await fetch(url, {
    method,
    headers: {
      'x-auth-token': token,
      'openstack-api-version': 'volume 3.70',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/** Asks again until the answer is not undefined; rejects after the limit. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, limitMs = 30_000): Promise<T> {
  const until = Date.now() + limitMs;
  while (true) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > until) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
