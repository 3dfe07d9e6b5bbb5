/** A tgtd for one test file: its own directory, socket and port. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAccounts, parseTargets, type ShownTarget } from '../../drivers/target/tgt/show.ts';
import { type OwnTgtd, startOwnTgtd } from '../../src/cmd/local/tgtd.ts';
import { pathOf } from '../../src/exec/executor.ts';
import { recorderLog } from './recorder-log.ts';

export interface TestTgtd {
  readonly address: string;
  readonly daemon: OwnTgtd;
  /** For files of the test; removed at the end. */
  readonly directory: string;
  /** Runs tgtadm against it and answers what it prints. */
  tgtadm(...args: readonly string[]): Promise<string>;
  targets(): Promise<ShownTarget[]>;
  accounts(): Promise<string[]>;
  /** Kills it as a crash would, and starts it again: it knows nothing then. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1';

/** Null, or why there can be none. */
export function missingTgtd(): string | null {
  if (process.getuid?.() !== 0) return 'tgtd takes root';
  return pathOf('tgtd') === null ? 'there is no tgtd: apt-get install tgt' : null;
}

export async function startTestTgtd(): Promise<TestTgtd> {
  const directory = await mkdtemp(join(tmpdir(), 'ashlar-tgt-'));
  // Files of tests run at the same time: each begins to look for a free port at another place.
  const preferredPort = 20_000 + (process.pid % 300) * 100;
  const start = () => startOwnTgtd({ stateDir: directory, portalAddress: ADDRESS, preferredPort, log: recorderLog() });
  let daemon = await start();
  const tgtadm = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(
      pathOf('tgtadm')!,
      ['--control-port', String(daemon.controlPort), '--lld', 'iscsi', ...args],
      { env: { TGT_IPC_SOCKET: daemon.socket }, timeout: 20_000, maxBuffer: 64 << 20 },
    );
    return stdout;
  };
  return {
    address: ADDRESS,
    get daemon() {
      return daemon;
    },
    directory,
    tgtadm,
    targets: async () => parseTargets(await tgtadm('--op', 'show', '--mode', 'target')),
    accounts: async () => parseAccounts(await tgtadm('--op', 'show', '--mode', 'account')),
    async restart() {
      await daemon.stop();
      daemon = await start();
    },
    async close() {
      await daemon.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
