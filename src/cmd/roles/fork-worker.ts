/** Forks the process of a worker, from the program that runs. */
import { type ChildProcess, fork } from 'node:child_process';
import type { FromWorker, WorkerExit, WorkerProcess } from '../../service/worker-messages.ts';

/** Small young generations, and a collection on demand: an idle service is measured in megabytes. No debugger by a signal. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--expose-gc', '--disable-sigusr1'];
/** What systemd says to the main process alone. */
const OURS_ALONE = ['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'];

/**
 * It has a session of its own, so that Ctrl-C reaches the parent alone, and a pipe by whose end it learns that the parent
 * is gone. Standard output and error are the parent's.
 */
export function forkWorker(options: {
  readonly role: string;
  readonly name: string;
  /** A descriptor that it finds as its fourth. */
  readonly listenFd: number | null;
}): WorkerProcess {
  // One arena of glibc's: each thread's own keeps what was freed in it, some megabytes after some hundred operations.
  const env: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '1', ...process.env };
  for (const name of OURS_ALONE) delete env[name];
  const child = fork(process.argv[1]!, ['worker', options.role, options.name], {
    detached: true,
    execArgv: [...process.execArgv, ...NODE_FLAGS],
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(options.listenFd === null ? [] : [options.listenFd])],
  });
  // A fork that fails says so here, and then it "exits".
  child.on('error', () => {});
  if (child.pid === undefined)
    throw new Error('no process could be made; the machine may be out of processes or memory');
  return {
    pid: child.pid,
    exited: exitOf(child),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    send: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    kill: (signal) => void child.kill(signal),
  };
}

function exitOf(child: ChildProcess): Promise<WorkerExit> {
  return new Promise((resolve) => {
    let isOver = false;
    child.once('exit', (code, signal) => {
      // Its last message may still be in the pipe: that is closed after it was read.
      const settle = () => {
        if (!isOver) resolve({ code, signal });
        isOver = true;
      };
      if (!child.connected) return settle();
      child.once('disconnect', settle);
      setTimeout(settle, LAST_WORDS_MS).unref();
    });
  });
}

const LAST_WORDS_MS = 200;
