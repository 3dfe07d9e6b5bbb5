/** A Python process with Debian's unmodified oslo.messaging, as client and as server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withTimeout } from '../../src/lib/timers.ts';

export interface OsloPeer {
  /** Whether it knows Cinder's exceptions. */
  readonly hasCinder: boolean;
  /** One command of oslo-peer.py, at a time; rejects with an OsloError where Python raised one. */
  run(command: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

export class OsloError extends Error {
  readonly raised: {
    readonly class: string;
    readonly module: string;
    readonly message: string;
    readonly bases: readonly string[];
    readonly kwargs: Readonly<Record<string, unknown>> | null;
  };
  constructor(raised: OsloError['raised']) {
    super(`${raised.module}.${raised.class}: ${raised.message}`);
    this.raised = raised;
  }
}

/** Debian's own: another python earlier in PATH has no oslo.messaging. */
const PYTHON = '/usr/bin/python3';
const PACKAGE = '/usr/lib/python3/dist-packages/oslo_messaging';
const SCRIPT = fileURLToPath(new URL('oslo-peer.py', import.meta.url));
const ANSWER_TIMEOUT_MS = 60_000;

/** Null, or why there can be none. */
export function missingOslo(): string | null {
  return existsSync(PACKAGE) ? null : 'there is no oslo.messaging: apt-get install python3-oslo.messaging';
}

export async function startOsloPeer(
  url: string,
  { controlExchange = 'openstack', rabbit = {} }: { controlExchange?: string; rabbit?: Record<string, unknown> } = {},
): Promise<OsloPeer> {
  const argv = ['--pdeathsig', 'KILL', PYTHON, SCRIPT, url, controlExchange, JSON.stringify(rabbit)];
  const child: ChildProcess = spawn('setpriv', argv, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await withTimeout(
      lines.next(),
      ANSWER_TIMEOUT_MS,
      () => new Error('the Python peer does not answer'),
    );
    if (done === true) throw new Error('the Python peer has ended');
    const { result, error } = JSON.parse(value);
    if (error !== undefined) throw new OsloError(error);
    return result;
  };
  const { cinder } = await answer();
  return {
    hasCinder: cinder,
    async run(command) {
      child.stdin!.write(`${JSON.stringify(command)}\n`);
      return await answer();
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
