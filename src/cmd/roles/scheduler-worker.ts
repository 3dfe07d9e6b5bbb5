/** The scheduler in a process of its own. */
import type { StartHosted } from '../../service/worker-host.ts';
import { startScheduler } from '../scheduler-service.ts';
import type { WorkerSettings } from './configuration.ts';
import { openWorker } from './open-worker.ts';

export const startHosted: StartHosted = async (given, tools) => {
  const worker = await openWorker(given as unknown as WorkerSettings);
  const { config, store, log, host } = worker;
  const transport = await worker.openTransport();
  const service = await startScheduler({ config, store, transport, log, host });
  tools.tell('up');
  return worker.hosted(service);
};
