/** What a scheduler answers without a record, and what it looks up before it writes one. */
import type { Store } from '../db/store.ts';
import type { WireRequest } from '../rpcapi/wire/receive.ts';
import type { InboxParts } from '../service/inbox.ts';
import { logLevelMethods } from '../service/log-levels.ts';
import type { SchedulerManager } from './manager.ts';

export function directMethods(
  manager: Pick<SchedulerManager, 'receiveCapabilities' | 'getPools' | 'checkHost'>,
  sweep: () => void,
): InboxParts['direct'] {
  return {
    update_service_capabilities: async (report) => manager.receiveCapabilities(report),
    get_pools: ({ filters }) => manager.getPools(filters as Readonly<Record<string, unknown>> | null),
    // What a backend has left is taken from its full reports alone.
    notify_service_capabilities: async () => null,
    validate_host_capacity: async ({ backend, request_spec }) => {
      await manager.checkHost(String(backend), request_spec);
      return null;
    },
    // Services clean up after themselves, so nobody was asked and nobody is missing: two empty lists.
    work_cleanup: async () => {
      sweep();
      return [[], []];
    },
    do_cleanup: async () => sweep(),
    ...logLevelMethods,
  };
}

/** Where the source of a new volume lives stands in its row alone; nothing can be copied across backends. */
export async function completeForScheduler(store: Store, request: WireRequest): Promise<WireRequest> {
  if (request.method !== 'create_volume') return request;
  const { source } = request.arguments;
  if (source.kind === 'blank') return request;
  const snapshot = source.kind === 'snapshot' ? await store.snapshots.get(source.snapshotId) : null;
  const volumeId = source.kind === 'volume' ? source.volumeId : snapshot?.volumeId;
  const volume = volumeId === undefined ? null : await store.volumes.get(volumeId);
  // A source that is gone fails where it is read, and the volume with it: here it would wait for ever.
  if (volume === null) return request;
  return { ...request, arguments: { ...request.arguments, pinnedHost: volume.host } };
}
