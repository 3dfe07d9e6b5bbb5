/**
 * `ashlar node`: a whole storage node in one process. Everything that it starts, it stops; what it has started so far
 * is taken down again when a later step fails.
 */
import { hostname } from 'node:os';
import { apiOptions } from '../../api/options.ts';
import type { Config } from '../../config/config.ts';
import { createLogger, type RootLogger } from '../../log/create-logger.ts';
import { serviceOptions } from '../../service/options.ts';
import type { RunningService } from '../../service/service.ts';
import type { VolumeService } from '../../volume/service.ts';
import { createApi } from '../api-service.ts';
import type { ConfiguredBackend } from '../backends.ts';
import { openExecutor } from '../executor.ts';
import { ensureLoopVolumeGroup } from '../local/volume-group.ts';
import { openObservability } from '../observability.ts';
import { startScheduler } from '../scheduler-service.ts';
import { startBackend } from '../services.ts';
import { openConfiguredTransport } from '../transport.ts';
import { renderBanner } from './banner.ts';
import { loadNodeConfig } from './configuration.ts';
import { endOnUnexpectedError } from './crash.ts';
import { openNodeStore } from './database.ts';
import { listenOnFreePort } from './listen.ts';
import { LOCAL_VOLUME_GROUP, type LocalBackend } from './local-backend.ts';
import { processOptions } from './options.ts';
import { reloadNode, sayStateReport } from './reload.ts';
import { openStateDir, type StateDir } from './state-dir.ts';
import { createTeardown, type Teardown } from './teardown.ts';
import { startNodeTgtd } from './tgtd.ts';

export interface NodeSettings {
  readonly stateDir: string;
  /** oslo.config files, later ones win; none for `<state>/ashlar.conf` over what the machine suggests. */
  readonly configFiles: readonly string[];
  /** Lines for the person at the terminal. */
  say(line: string): void;
}

export interface RunningNode {
  /** HUP: reads the configuration anew, and takes over what may change in place. Never rejects. */
  reload(): Promise<void>;
  /** USR2: says the state report. Never rejects. */
  report(): Promise<void>;
  /** Drains and stops everything. */
  stop(): Promise<void>;
}

/** The project that the command line acts in, where nobody names one. */
const PROJECT = 'admin';

export async function startNode(settings: NodeSettings): Promise<RunningNode> {
  const teardown = createTeardown();
  try {
    const state = await openStateDir(settings.stateDir);
    teardown.defer('state directory', () => state.release());
    const facts = { host: hostname(), ...(await state.facts()) };
    const { config, backends, local } = await loadNodeConfig({ ...settings, stateDir: state.path, facts });
    const warnings = config.finish();
    const { debug, log_file } = config.section('DEFAULT', processOptions);
    const log = createLogger({ level: debug ? 'debug' : 'info', name: 'ashlar', destination: log_file });
    teardown.defer('log', async () => log.close());
    await openObservability({ config, log, role: 'node', teardown });
    const letGo = endOnUnexpectedError({ log, say: settings.say, exit: process.exit });
    teardown.defer('handler of unexpected errors', async () => letGo());
    for (const warning of warnings) {
      settings.say(`Configuration: ${warning}`);
      log.warn({}, warning);
    }
    await state.remember({ ...facts, ...(local === null ? {} : { backend: local.backend }) });
    await startParts(settings, { state, config, backends, local, log, teardown });
    const read = async () => (await loadNodeConfig({ ...settings, stateDir: state.path, facts })).config;
    return {
      reload: () => reloadNode({ config, read, log, say: settings.say }),
      report: () => sayStateReport(settings.say),
      stop: () => teardown.run((line) => log.error({}, line)),
    };
  } catch (error) {
    await teardown.run(settings.say);
    throw error;
  }
}

interface Parts {
  readonly state: StateDir;
  readonly config: Config;
  readonly backends: readonly ConfiguredBackend[];
  readonly local: LocalBackend | null;
  readonly log: RootLogger;
  readonly teardown: Teardown;
}

/** Database, target daemon, backends, scheduler, API: each needs the one before. */
async function startParts({ say }: NodeSettings, parts: Parts): Promise<void> {
  const { state, config, backends, local, log, teardown } = parts;
  const store = await openNodeStore({ config, stateDir: state.path, log, say, teardown });
  const executor = openExecutor(config, log);
  teardown.defer('privileged helper', async () => executor.close());
  const transport = await openConfiguredTransport(config, log);
  teardown.defer('transport', () => transport.close());
  const { host, graceful_shutdown_timeout } = config.section('DEFAULT', serviceOptions);
  const shared = { config, store, transport, log, host };
  const volumes: VolumeService[] = [];
  const keep = <S extends RunningService>(service: S): S => {
    teardown.defer(service.name, () => service.stop({ timeoutMs: graceful_shutdown_timeout * 1000 }));
    return service;
  };

  const restoreExports = async () => {
    await Promise.all(volumes.map((service) => service.restoreExports()));
  };
  const tgt = await startNodeTgtd({ config, backends, stateDir: state.path, log, say, teardown, restoreExports });
  if (local !== null) say(`Backend: ${local.why}.`);
  if (local?.backend === 'lvm') {
    await ensureLoopVolumeGroup({ stateDir: state.path, name: LOCAL_VOLUME_GROUP, executor, log });
  }
  keep(await startScheduler(shared));
  for (const backend of backends) volumes.push(keep(await startBackend(shared, backend, executor, tgt)));
  for (const [index, service] of volumes.entries()) {
    const first = await service.firstState;
    if (first.kind === 'down') say(`Backend ${backends[index]!.name} is down: ${first.reason} It is tried again.`);
  }

  const api = createApi(shared, await state.adminToken());
  teardown.defer('API', () => api.close());
  const { osapi_volume_listen, osapi_volume_listen_port } = config.section('DEFAULT', apiOptions);
  const wanted = { host: osapi_volume_listen, port: osapi_volume_listen_port, lastPort: await state.lastApiPort() };
  const url = await listenOnFreePort(api, wanted);
  await state.announce({ url, project: PROJECT });
  log.info({ url, pid: process.pid }, 'node is up');
  say(renderBanner({ url, stateDir: state.path }));
}
