/**
 * The parent of a role's workers: `ashlar volume`, `ashlar scheduler`, `ashlar api`. It reads the configuration, forks,
 * keeps them running, and passes on what the signals mean. It opens neither database nor broker.
 */
import { availableParallelism } from 'node:os';
import { apiOptions } from '../../api/options.ts';
import { changedOptions } from '../../config/changes.ts';
import { readConfigSources } from '../../config/sources.ts';
import type { RootLogger } from '../../log/create-logger.ts';
import { messageOf } from '../../model/errors.ts';
import { type Launcher, startLauncher, type WorkerPlan } from '../../service/launcher.ts';
import { serviceOptions } from '../../service/options.ts';
import { handleSignals } from '../../service/signals.ts';
import { endOnUnexpectedError } from '../node/crash.ts';
import { adminTokenOf } from './admin-token.ts';
import {
  type CheckedConfig,
  checkRoleConfig,
  openWorkerConfig,
  type RoleName,
  type WorkerSettings,
} from './configuration.ts';
import { forkWorker } from './fork-worker.ts';
import { type ListeningSocket, openListeningSocket } from './listening-socket.ts';
import { startMending } from './mending.ts';
import { applyMutable, openLog } from './role-log.ts';
import { openNotifier } from './systemd.ts';

export interface RoleSettings {
  readonly role: RoleName;
  readonly configFiles: readonly string[];
  /** Lines for the person at the terminal. */
  say(line: string): void;
  /** Called when the first worker serves. */
  onReady(): void;
}

/** Runs until a signal ends it; answers the exit code. Throws where it cannot start. */
export async function runRole(settings: RoleSettings): Promise<number> {
  const { role, configFiles, say } = settings;
  process.title = `ashlar ${role}`;
  const first = checkRoleConfig(role, await readConfigSources(configFiles), availableParallelism());
  const log = await openLog(first.config);
  const letGo = endOnUnexpectedError({ log, say, exit: process.exit });
  for (const warning of first.warnings) {
    say(`Configuration: ${warning}`);
    log.warn({}, warning);
  }
  const socket = await openSocket(role, first);
  const notifier = openNotifier(process.env, log);
  let current = first;
  const own = new Map(first.workers.map((worker) => [worker.name, worker]));
  const drainMs = () => current.config.section('DEFAULT', serviceOptions).graceful_shutdown_timeout * 1000;
  const launcher = startLauncher({
    plans: first.workers.map(planOf),
    spawn: ({ name }) => forkWorker({ role, name, listenFd: socket?.fd ?? null }),
    log,
    drainMs,
  });
  const mending = startMending({
    role,
    files: configFiles,
    launcher,
    sourcesOf: (name) => own.get(name)?.sources ?? [],
    renew: async (name, sources) => {
      const worker = { role, name, sources };
      own.set(name, worker);
      await launcher.renew(planOf(worker));
    },
    log,
  });

  const ended = Promise.withResolvers<number>();
  /** Set from the moment at which all has to end at once: the drain under way then ends too, but was none. */
  let haltedWith: number | null = null;
  const stop = async (exitCode: number) => {
    void notifier.stopping();
    await launcher.stop({ timeoutMs: drainMs() });
    ended.resolve(haltedWith ?? exitCode);
  };
  const unsubscribe = handleSignals({
    onStop: () => {
      say('Stopping: work under way is finished first. Again to stop at once.');
      log.info({}, 'TERM: draining');
      void stop(0);
    },
    onHalt: (exitCode) => {
      haltedWith ??= exitCode;
      log.warn({ exit_code: exitCode }, 'ends at once');
      void launcher.halt().then(() => ended.resolve(haltedWith ?? exitCode));
    },
    onReload: () => void reload().catch((error: unknown) => log.error({ reason: messageOf(error) }, 'reload failed')),
    onReport: () => {
      say(renderWorkers(role, launcher));
      launcher.tell({ kind: 'report' });
    },
  });
  const reload = async () => {
    await notifier.reloading();
    const next = await reloadRole({ role, files: configFiles, own, launcher, log });
    if (next !== null) current = next;
    await notifier.ready(summary(launcher));
  };

  void launcher.started.then(async (failed) => {
    for (const [name, reason] of failed) say(`${name} does not start: ${reason}`);
    if (failed.size === first.workers.length) {
      say(`No ${role} service started. Mend what stands above, and start it again.`);
      log.error({}, `no ${role} service started`);
      return stop(1);
    }
    say(`Ashlar ${role} is up: ${summary(launcher)}${socket === null ? '' : `. API: ${socket.url}`}.`);
    settings.onReady();
    await notifier.ready(summary(launcher));
  });
  const exitCode = await ended.promise;
  await mending.stop();
  unsubscribe();
  notifier.close();
  socket?.close();
  log.info({ exit_code: exitCode }, `${role} has stopped`);
  letGo();
  log.close();
  return exitCode;
}

/** Null where it was refused, and everything is as before. */
async function reloadRole(parts: {
  readonly role: RoleName;
  readonly files: readonly string[];
  /** What each worker was started with; kept up to date. */
  readonly own: Map<string, WorkerSettings>;
  readonly launcher: Launcher;
  readonly log: RootLogger;
}): Promise<CheckedConfig | null> {
  const { role, own, launcher, log } = parts;
  const refuse = (reason: string) => {
    log.error(
      { reason },
      'the new configuration is refused, and the old one stays in force; mend it and send HUP again',
    );
    return null;
  };
  let next: CheckedConfig;
  try {
    next = checkRoleConfig(role, await readConfigSources(parts.files), availableParallelism());
  } catch (error) {
    return refuse(messageOf(error));
  }
  for (const [name, reason] of next.faults) {
    // One that is broken already hinders nobody.
    const old = own.get(name);
    if (old !== undefined && openWorkerConfig(old).fault !== null) continue;
    return refuse(`${name}: ${reason}`);
  }
  const before = new Map(own);
  const lasting = next.workers.map((worker) => {
    const old = before.get(worker.name);
    return { worker, restarts: old === undefined || needsRestart(old, worker) };
  });
  const kept = lasting.filter(({ restarts }) => !restarts).map(({ worker }) => worker);
  await launcher.configure(kept.map(planOf));
  const outcome = await launcher.change(next.workers.map(planOf));
  if (outcome !== null) {
    // Those that took it already go back too: never two configurations at the same time. Back to what is in force now, which
    // is newer than what we began with where one was mended meanwhile; those that were kept need no restart for that.
    const back = [...own.values()].map(planOf);
    await launcher.configure(back.filter(({ name }) => kept.some((worker) => worker.name === name)));
    await launcher.change(back);
    return refuse(outcome.reason);
  }
  own.clear();
  for (const worker of next.workers) own.set(worker.name, worker);
  applyMutable(log, next.config, next.config);
  const restarted = lasting.filter(({ restarts }) => restarts).map(({ worker }) => worker.name);
  log.info({ restarted }, 'the configuration was read anew');
  for (const warning of next.warnings) log.warn({}, warning);
  return next;
}

function needsRestart(old: WorkerSettings, next: WorkerSettings): boolean {
  const changes = changedOptions(openWorkerConfig(old).config.values(), openWorkerConfig(next).config.values());
  return changes.some(({ mutable }) => !mutable);
}

function planOf(worker: WorkerSettings): WorkerPlan {
  const isApi = worker.role === 'api';
  // A backend is a service of its own, so each has its own limit on forks.
  return { name: worker.name, settings: { ...worker }, group: isApi ? 'api' : worker.name, overlaps: isApi };
}

async function openSocket(role: RoleName, { config }: CheckedConfig): Promise<ListeningSocket | null> {
  if (role !== 'api') return null;
  const { osapi_volume_listen, osapi_volume_listen_port } = config.section('DEFAULT', apiOptions);
  await adminTokenOf(config.section('DEFAULT', serviceOptions).state_path);
  return await openListeningSocket(osapi_volume_listen, osapi_volume_listen_port);
}

function summary(launcher: Launcher): string {
  const byState = Map.groupBy(launcher.status(), ({ state }) => state);
  return [...byState].map(([state, workers]) => `${state}: ${workers.map(({ name }) => name).join(', ')}`).join('; ');
}

/** The parent's part of the state report. */
function renderWorkers(role: RoleName, launcher: Launcher): string {
  const lines = launcher.status().map(({ name, pid, state, reason, starts, since }) => {
    const why = reason === null ? '' : `: ${reason}`;
    return `  ${name}: ${state} since ${since.toISOString()}, pid ${pid ?? '-'}, started ${starts} times${why}`;
  });
  return [`Ashlar ${role}, parent, pid ${process.pid}`, ...lines].join('\n');
}
