/** One of the processes of the API. They take connections from one socket, which their parent holds open. */
import { Server } from 'node:net';
import { sleep } from '../../lib/timers.ts';
import { serviceOptions } from '../../service/options.ts';
import type { StartHosted } from '../../service/worker-host.ts';
import { createApi } from '../api-service.ts';
import { adminTokenOf } from './admin-token.ts';
import type { WorkerSettings } from './configuration.ts';
import { openWorker } from './open-worker.ts';

/** Where a worker of the API finds the listening socket. */
export const LISTEN_FD = 4;
/** How long a client that keeps its connection may take to send what it has begun, and hear that we close. */
const LINGER_MS = 2000;
const LOOK_EVERY_MS = 50;

export const startHosted: StartHosted = async (given, tools) => {
  const settings = given as unknown as WorkerSettings;
  const worker = await openWorker(settings);
  const { config, store, log, host } = worker;
  const transport = await worker.openTransport();
  const token = await adminTokenOf(config.section('DEFAULT', serviceOptions).state_path);
  const api = createApi({ config, store, transport, log, host }, token);
  let isDraining = false;
  api.addHook('onSend', async (_request, reply) => {
    if (isDraining) reply.header('connection', 'close');
  });
  await api.ready();
  await new Promise<void>((resolve, reject) => {
    api.server.once('error', reject);
    api.server.listen({ fd: LISTEN_FD }, resolve);
  });
  tools.tell('up');
  return worker.hosted({
    name: settings.name,
    async stop({ timeoutMs }) {
      isDraining = true;
      // No new connection. The close of an HTTP server would cut idle ones too, just as their next request is on its way.
      Server.prototype.close.call(api.server);
      const startedAtMs = performance.now();
      const passedMs = () => performance.now() - startedAtMs;
      while ((await connectionsOf(api.server)) > 0 && passedMs() < timeoutMs) {
        if (passedMs() > LINGER_MS) api.server.closeIdleConnections();
        await sleep(LOOK_EVERY_MS);
      }
      api.server.closeAllConnections();
      await api.close();
    },
  });
};

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));
}
