import type { AuthStrategy } from '../api/auth.ts';
import { noauthStrategy, tokenStrategy } from '../api/auth.ts';
import { apiOptions } from '../api/options.ts';
import { type ApiServer, createApiServer } from '../api/server.ts';
import { createSchedulerRpc, createVolumeRpc } from '../rpc/clients.ts';
import { createInquiryRpc } from '../rpc/inquiry.ts';
import { createOperationRpc } from '../service/peers/operation-rpc.ts';
import { startPeerSettlement, startPeerUsages } from '../service/peers/settlement.ts';
import type { Shared } from './services.ts';

/** The API, not listening yet. */
export function createApi(shared: Shared, adminToken: string): ApiServer {
  const { config, store, transport } = shared;
  const options = config.section('DEFAULT', apiOptions);
  const log = shared.log.child({ service: 'api' });
  const timeoutMs = options.rpc_response_timeout * 1000;
  const server = createApiServer(
    {
      store,
      operations: createOperationRpc({ transport, store, log }),
      scheduler: createSchedulerRpc(transport, { timeoutMs }),
      volume: createVolumeRpc(transport, { timeoutMs }),
      inquiry: createInquiryRpc(transport),
      options,
      log,
    },
    { auth: authStrategy(options.auth_strategy, adminToken) },
  );
  if (transport.reach === 'network') {
    const tasks = [
      startPeerSettlement({ store, log }),
      startPeerUsages({ store, log, noSnapshotGb: options.no_snapshot_gb_quota }),
    ];
    server.addHook('onClose', async () => {
      await Promise.all(tasks.map((task) => task.stop()));
    });
  }
  return server;
}

function authStrategy(name: string, adminToken: string): AuthStrategy {
  return name === 'noauth' ? noauthStrategy() : tokenStrategy(adminToken);
}
