/** The volume service of one backend, in a process of its own. */

import { createRevocableExecutor } from '../../exec/revocable-executor.ts';
import { messageOf } from '../../model/errors.ts';
import { VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { registerDown } from '../../service/heartbeat.ts';
import { serviceOptions } from '../../service/options.ts';
import { LastingFailure, type StartHosted } from '../../service/worker-host.ts';
import { type ConfiguredBackend, configureBackend } from '../backends.ts';
import { openExecutor } from '../executor.ts';
import { startBackend } from '../services.ts';
import type { WorkerSettings } from './configuration.ts';
import { type OpenWorker, openWorker } from './open-worker.ts';

/** What a command under way gets to end by itself when the process has to end at once. */
const COMMAND_GRACE_MS = 800;

export const startHosted: StartHosted = async (given, tools) => {
  const settings = given as unknown as WorkerSettings;
  const worker = await openWorker(settings);
  const { config, store, log, host, teardown } = worker;
  const backend = await configured(worker, settings.name);
  const local = openExecutor(config, log);
  teardown.defer('privileged helper', async () => local.close());
  const executor = createRevocableExecutor(local);
  tools.onHalt(() => executor.revoke(COMMAND_GRACE_MS));
  const transport = await worker.openTransport();
  const shared = { config, store, transport, log, host };
  const service = await startBackend(shared, backend, executor, {}, (state) => {
    if (state.kind === 'up') tools.tell('up');
    else tools.tell('down', state.reason);
  });
  return worker.hosted(service);
};

/** A backend that is configured wrongly leaves its row in the services table, so that it is listed: as down. */
async function configured({ config, store, log, host }: OpenWorker, name: string): Promise<ConfiguredBackend> {
  try {
    const backend = configureBackend(config, name);
    config.finish();
    return backend;
  } catch (error) {
    const reason = messageOf(error);
    const serviceHost = `${host}@${name}`;
    const service = config.section('DEFAULT', serviceOptions);
    await registerDown(store, {
      host: serviceHost,
      binary: VOLUME_TOPIC,
      availabilityZone: service.storage_availability_zone,
      enableNewServices: service.enable_new_services,
    });
    log.error({ backend: serviceHost, reason }, `${VOLUME_TOPIC} is configured wrongly and stays down`);
    throw new LastingFailure(reason);
  }
}
