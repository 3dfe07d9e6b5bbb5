/**
 * The tgtd of a one-command node: ours alone, its control socket in the state directory.
 *
 *   <state>/run/tgtd.1     the control socket (elsewhere where that path is too long, see postgres-socket.ts)
 *   <state>/tgtd.port      the portal's port of the last start: initiators know it
 */
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createSocketTransport, socketPath } from '../../../drivers/target/tgt/control-socket.ts';
import { parsePortals } from '../../../drivers/target/tgt/show.ts';
import { COMMAND_PATH, pathOf } from '../../exec/executor.ts';
import { type OwnedProcess, type ProcessExit, startOwnedProcess } from '../../exec/owned-process.ts';
import { writeFileAtomically } from '../../lib/files.ts';
import { sleep } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure } from '../../model/errors.ts';
import { socketDirectory } from './postgres-socket.ts';

export interface OwnTgtd {
  readonly port: number;
  /** Its `-C`: option tgt_control_port. */
  readonly controlPort: number;
  /** Its TGT_IPC_SOCKET: option tgt_socket. */
  readonly socket: string;
  readonly pid: number;
  /** Settles when it is gone, whoever ended it. A new one knows no targets: ensureExports brings them back. */
  readonly exited: Promise<ProcessExit>;
  /** Ends it at once, with the sessions. */
  stop(): Promise<void>;
}

export interface OwnTgtdOptions {
  readonly stateDir: string;
  readonly portalAddress: string;
  /** The first start takes this port or the next free one, later starts the one of the start before. */
  readonly preferredPort: number;
  readonly log: Logger;
}

/** Its sockets are told apart by their directory. */
const CONTROL_PORT = 1;
/** Of each logical unit. tgtd's own default is 16. */
const THREADS = 4;
const PORTS_TRIED = 100;
/** How long the port of the last start may stay taken before another one is looked for. */
const PORT_PATIENCE_MS = 3_000;
/** Long: on an emulated or busy machine it took more than 15 seconds. */
const READY_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;

/** Starts it; ends with us, even by SIGKILL. Throws ServiceUnavailable where there is no tgtd, or it does not start. */
export async function startOwnTgtd(options: OwnTgtdOptions): Promise<OwnTgtd> {
  const { stateDir, log } = options;
  const program = pathOf('tgtd');
  if (program === null) {
    const reason = 'There is no tgtd. Install it (apt-get install tgt), or set target_helper = fake.';
    throw failure('ServiceUnavailable', { reason });
  }
  const socket = join(await socketDirectory(stateDir), 'tgtd');
  await endLeftovers(socket, log);
  for await (const port of freePorts(options)) {
    const daemon = await startOn(program, socket, port, options);
    if (daemon === null) continue;
    await writeFileAtomically(join(stateDir, 'tgtd.port'), `${port}\n`);
    return {
      port,
      controlPort: CONTROL_PORT,
      socket,
      pid: daemon.pid,
      exited: daemon.exited,
      // It ignores every gentler signal.
      stop: async () => void (await daemon.stop({ signal: 'SIGKILL', timeoutMs: END_TIMEOUT_MS })),
    };
  }
  const reason = `No free port for iSCSI on ${options.portalAddress} from ${options.preferredPort} on. Free one and start again.`;
  throw failure('ServiceUnavailable', { reason });
}

/** Null where somebody else took the port: tgtd then goes on with all addresses and its default port, which nobody wants. */
async function startOn(
  program: string,
  socket: string,
  port: number,
  { portalAddress, log }: OwnTgtdOptions,
): Promise<OwnedProcess | null> {
  const portal = `${portalAddress.includes(':') ? `[${portalAddress}]` : portalAddress}:${port}`;
  const ask = createSocketTransport(socketPath(socket, CONTROL_PORT), 'iscsi', 1_000);
  let portals: readonly string[] = [];
  const daemon = await startOwnedProcess({
    name: 'tgtd',
    argv: [program, '-f', '-C', String(CONTROL_PORT), '-t', String(THREADS), '--iscsi', `portal=${portal}`],
    env: { PATH: COMMAND_PATH, TGT_IPC_SOCKET: socket },
    cwd: '/',
    parentDeathSignal: 'SIGKILL',
    ready: async () => {
      portals = parsePortals((await ask({ mode: 'portal', op: 'show' })).text);
      return portals.length > 0;
    },
    readyTimeoutMs: READY_TIMEOUT_MS,
    log,
  });
  if (portals.length === 1 && portals[0] === portal) return daemon;
  await daemon.stop({ signal: 'SIGKILL', timeoutMs: END_TIMEOUT_MS });
  return null;
}

/** Ports that are free now: the last one used first, which initiators know. */
async function* freePorts({ stateDir, portalAddress, preferredPort, log }: OwnTgtdOptions): AsyncGenerator<number> {
  const last = Number(await readFile(join(stateDir, 'tgtd.port'), 'utf8').catch(() => '')) || null;
  if (last !== null) {
    const deadline = performance.now() + PORT_PATIENCE_MS;
    while (performance.now() < deadline) {
      if (await isFree(portalAddress, last)) yield last;
      await sleep(100);
    }
    log.warn(
      { port: last },
      'The port of the last start is taken; initiators that know it have to be told another one.',
    );
  }
  const highest = Math.min(preferredPort + PORTS_TRIED, 65_535);
  for (let port = preferredPort; port <= highest; port += 1) {
    if (await isFree(portalAddress, port)) yield port;
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ends a tgtd of an earlier run that the kernel did not end: known by its control socket, which is ours alone. */
async function endLeftovers(socket: string, log: Logger): Promise<void> {
  const deadline = performance.now() + END_TIMEOUT_MS;
  for (let known = new Set<number>(); ; ) {
    const pids = await daemonsOf(socket);
    if (pids.length === 0) return;
    for (const pid of pids.filter((each) => !known.has(each))) {
      log.warn({ pid }, 'An earlier run left its tgtd running; ending it.');
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    known = new Set(pids);
    if (performance.now() > deadline) {
      const reason = `tgtd of an earlier run (process ${pids.join(', ')}) does not end. Look what it waits for, end it, start again.`;
      throw failure('ServiceUnavailable', { reason });
    }
    await sleep(50);
  }
}

async function daemonsOf(socket: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const wanted = `TGT_IPC_SOCKET=${socket}`;
  const matches = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      if ((await read('comm')).trim() !== 'tgtd') return false;
      return (await read('environ')).split('\0').includes(wanted);
    }),
  );
  return pids.filter((_, index) => matches[index]);
}
