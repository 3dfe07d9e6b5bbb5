/** The node's configuration: files, over what its machine suggests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { apiOptions } from '../../api/options.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { databaseOptions } from '../../db/options.ts';
import { execOptions } from '../../exec/options.ts';
import { schedulerOptions } from '../../scheduler/options.ts';
import { metricsOptions } from '../../service/metrics-options.ts';
import { serviceOptions } from '../../service/options.ts';
import { type ConfiguredBackend, configureBackends } from '../backends.ts';
import { optionGroups } from '../options.ts';
import { declareTransport } from '../transport-options.ts';
import { chooseLocalBackend, type LocalBackend, localBackendConfig, tgtdObstacle } from './local-backend.ts';
import { processOptions } from './options.ts';
import type { NodeFacts } from './state-dir.ts';

export interface NodeConfig {
  /** Everything is declared; `finish` has yet to be called. */
  readonly config: Config;
  readonly backends: readonly ConfiguredBackend[];
  /** Null where a configuration file was named: then there is only what it says. */
  readonly local: LocalBackend | null;
}

export async function loadNodeConfig(options: {
  readonly stateDir: string;
  readonly configFiles: readonly string[];
  readonly facts: NodeFacts;
}): Promise<NodeConfig> {
  const { stateDir, configFiles, facts } = options;
  const ownFile = join(stateDir, 'ashlar.conf');
  const named = configFiles.length > 0;
  const local = named ? null : chooseLocalBackend(facts);
  const target = tgtdObstacle() === null ? 'tgtadm' : 'fake';
  const suggested = local === null ? {} : localBackendConfig(local.backend, target);
  const config = await loadConfig({
    files: named ? configFiles : [ownFile].filter(existsSync),
    defaults: {
      ...suggested,
      DEFAULT: {
        ...suggested.DEFAULT,
        state_path: stateDir,
        host: facts.host ?? '',
        ...(local === null ? {} : { own_tgtd: String(target === 'tgtadm') }),
      },
    },
    known: optionGroups,
  });
  for (const declared of [serviceOptions, apiOptions, schedulerOptions, processOptions, metricsOptions, execOptions]) {
    config.section('DEFAULT', declared);
  }
  config.section('database', databaseOptions);
  declareTransport(config);
  return { config, backends: configureBackends(config), local };
}
