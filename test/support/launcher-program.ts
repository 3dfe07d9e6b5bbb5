/**
 * A parent and its workers without database and broker, as a program: `launcher-program.ts parent PLAN…` forks itself as
 * `launcher-program.ts worker`. A plan is `NAME:WORK`; what the works are stands in `works`.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createLocalExecutor } from '../../src/exec/executor.ts';
import { createRevocableExecutor } from '../../src/exec/revocable-executor.ts';
import { startLauncher } from '../../src/service/launcher.ts';
import { handleSignals } from '../../src/service/signals.ts';
import { hostWorker, LastingFailure, type WorkerTools } from '../../src/service/worker-host.ts';
import type { FromWorker, ToWorker, WorkerExit, WorkerProcess } from '../../src/service/worker-messages.ts';
import { silentLog } from './postgres.ts';

const DRAIN_MS = 1500;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const [role, ...plans] = process.argv.slice(2);
if (role === 'parent') runParent();
else runWorker();

function runParent(): void {
  const launcher = startLauncher({
    plans: plans.map((plan) => {
      const [name, work] = plan.split(':') as [string, string];
      return { name, settings: { name, work }, group: name, overlaps: false };
    }),
    spawn: forkSelf,
    log: { ...silentLog, error: (fields, message) => say(`error ${JSON.stringify(fields)} ${message}`) },
    drainMs: () => DRAIN_MS,
  });
  void launcher.started.then((failed) => say(`started, failed: ${[...failed.keys()].join(',')}`));
  const end = (how: string, code: number) => (): void => {
    say(how);
    process.exit(code);
  };
  let isHalting = false;
  const endDrained = () => (isHalting ? undefined : end('drained', 0)());
  handleSignals({
    onStop: () => void launcher.stop({ timeoutMs: DRAIN_MS }).then(endDrained),
    onHalt: (code) => {
      isHalting = true;
      void launcher.halt().then(end('halted', code));
    },
    onReload: () => {},
    onReport: () => say(JSON.stringify(launcher.status())),
  });
}

function forkSelf(): WorkerProcess {
  const child = fork(fileURLToPath(import.meta.url), ['worker'], { detached: true, stdio: ['ignore', 1, 2, 'ipc'] });
  return {
    pid: child.pid!,
    exited: new Promise<WorkerExit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal }))),
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    send: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** What a worker may be. Answers how it stops. */
const works: Readonly<Record<string, (tools: WorkerTools) => Promise<() => Promise<void>>>> = {
  serves: async () => async () => {},
  'dies-at-once': async () => process.exit(3),
  'cannot-start': async () => {
    throw new LastingFailure('its configuration is wrong');
  },
  // Work under way that ends by itself before the limit.
  'drains-slowly': async () => async () => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    say('work is finished');
  },
  'never-drains': async () => () => new Promise(() => {}),
  'runs-a-command': async (tools) => {
    const executor = createRevocableExecutor(createLocalExecutor({ log: silentLog, privileged: 'none' }));
    tools.onHalt(() => executor.revoke(200));
    const script = 'echo $$ > "$0"; sleep 300';
    executor.run({ argv: ['sh', '-c', script, process.env.TEST_PID_FILE!], timeoutMs: 300_000 }).catch(() => {});
    return () => new Promise(() => {});
  },
};

function runWorker(): void {
  hostWorker({
    channel: {
      send: (message) => void process.send!(message),
      onMessage: (listener) => void process.on('message', (message) => listener(message as ToWorker)),
      onGone: (listener) => void process.on('disconnect', listener),
    },
    start: async ({ name, work }, tools) => {
      say(`worker ${name} ${process.pid}`);
      const stop = await works[String(work)]!(tools);
      tools.tell('up');
      return { name: String(name), log: silentLog, drainMs: DRAIN_MS, stop };
    },
    exit: process.exit,
  });
  // What a service would have open.
  setInterval(() => {}, 60_000);
}
