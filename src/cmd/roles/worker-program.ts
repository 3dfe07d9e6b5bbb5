/** The program of a forked worker: `ashlar worker ROLE NAME`, started by a parent alone. */
import { hostWorker, type StartHosted, type WorkerChannel } from '../../service/worker-host.ts';
import type { ToWorker } from '../../service/worker-messages.ts';

/** Answers what is wrong; null: the worker runs, and ends the process itself. */
export function runWorkerProgram(role: string, name: string): string | null {
  if (process.send === undefined)
    return "'ashlar worker' is started by 'ashlar volume', 'scheduler' or 'api', not by hand.";
  const load = roles[role];
  if (load === undefined) return `There is no role '${role}'.`;
  process.title = role === name ? `ashlar ${role}: worker` : `ashlar ${role}: ${name.replace(`${role} `, '')}`;
  const start: StartHosted = async (settings, tools) => {
    const service = await (await load()).startHosted(settings, tools);
    giveBackWhenIdle();
    return service;
  };
  hostWorker({ channel: pipeToParent(), start, exit: process.exit });
  return null;
}

const roles: Readonly<Record<string, () => Promise<{ readonly startHosted: StartHosted }>>> = {
  volume: () => import('./volume-worker.ts'),
  scheduler: () => import('./scheduler-worker.ts'),
  api: () => import('./api-worker.ts'),
};

/** Between two looks at whether there is something to give back; long enough not to be in the way of work. */
const LOOK_EVERY_MS = 5000;
/** Less of the time than that is idle: heartbeats, and a message now and then. */
const IDLE_UTILIZATION = 0.05;

/** What the start and a time of work needed is garbage then; by itself V8 would keep the room for it for a long time. */
function giveBackWhenIdle(): void {
  let last = performance.eventLoopUtilization();
  let hasWorked = true;
  setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(last);
    last = performance.eventLoopUtilization();
    const isIdle = utilization < IDLE_UTILIZATION;
    if (isIdle && hasWorked) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    hasWorked = !isIdle;
  }, LOOK_EVERY_MS).unref();
}

function pipeToParent(): WorkerChannel {
  return {
    send: (message) => {
      // The parent may be gone: that is what onGone is for.
      if (process.connected) process.send!(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToWorker)),
    onGone: (listener) => void process.on('disconnect', listener),
  };
}
