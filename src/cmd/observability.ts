/** What lets people look into a process that runs services: its state report, and metrics where they are asked for. */
import packageFile from '../../package.json' with { type: 'json' };
import type { Config } from '../config/config.ts';
import type { RootLogger } from '../log/create-logger.ts';
import { metricsOptions } from '../service/metrics-options.ts';
import { startMetrics } from '../service/metrics-server.ts';
import { describeProcess } from '../service/report.ts';
import type { Teardown } from './node/teardown.ts';

/** From now on the process can be asked how it is. `role` is what it runs: `node`, `volume lvm`, `api`. */
export async function openObservability(settings: {
  readonly config: Config;
  readonly log: RootLogger;
  readonly role: string;
  readonly teardown: Teardown;
}): Promise<void> {
  const { config, log, role, teardown } = settings;
  const { version } = packageFile;
  const forget = describeProcess({ version, role, config: () => config.describe(), log });
  teardown.defer('state report', async () => forget());
  const options = config.section('DEFAULT', metricsOptions);
  const metrics = await startMetrics({ options, version, role, log });
  if (metrics !== null) teardown.defer('metrics', () => metrics.stop());
}
