/** Ends the records of operations that services of another make have taken: nobody there does. */
import type { Store } from '../../db/store.ts';
import { forEachBounded } from '../../lib/bounded.ts';
import type { Logger } from '../../log/logger.ts';
import type { Operation } from '../../model/operation.ts';
import { reasonInWords } from '../../model/user-message.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { type PeriodicTask, startPeriodicTask } from '../periodic-task.ts';
import { peerOutcome } from './outcome.ts';

const INTERVAL_MS = 5000;
const USAGES_INTERVAL_MS = 60_000;
/** Records of one run; the rest follow with the next, as these end. */
const LIMIT = 2000;
const CONCURRENCY = 4;

/** Looks every few seconds, in the scheduler's process and in the API's. */
export function startPeerSettlement(options: {
  readonly store: Store;
  readonly log: Logger;
  readonly intervalMs?: number;
}): PeriodicTask {
  const { store, log, intervalMs = INTERVAL_MS } = options;
  return startPeriodicTask({
    name: 'settlement of what other services do',
    intervalMs,
    work: async () => {
      await settlePeerOperations(store, log);
    },
    log,
  });
}

/** Keeps what a Cinder counts of our quotas right; for one process of a deployment, though several do no harm. */
export function startPeerUsages(options: {
  readonly store: Store;
  readonly log: Logger;
  readonly noSnapshotGb: boolean;
}): PeriodicTask {
  const { store, log, noSnapshotGb } = options;
  return startPeriodicTask({
    name: "refreshing a Cinder's usages",
    intervalMs: USAGES_INTERVAL_MS,
    work: async () => {
      const refreshed = await store.quotas.refreshPeerUsages({ noSnapshotGb });
      if (refreshed > 0) log.debug({ refreshed }, 'quota_usages set to what is there');
    },
    log,
  });
}

/** One look; returns how many records were ended. Several may look at once: each record ends once. */
export async function settlePeerOperations(store: Store, log: Logger): Promise<number> {
  const foreign = await store.services.listForeign();
  const owners = foreign.flatMap(({ binary, host }) =>
    binary === VOLUME_TOPIC ? [host] : binary === SCHEDULER_TOPIC ? [SCHEDULER_TOPIC] : [],
  );
  if (owners.length === 0) return 0;
  let settled = 0;
  await forEachBounded(
    await store.operations.listQueuedOf([...new Set(owners)], LIMIT),
    CONCURRENCY,
    async (operation) => {
      if (await settle(store, log, operation)) settled += 1;
    },
  );
  return settled;
}

async function settle(store: Store, log: Logger, operation: Operation): Promise<boolean> {
  const { id, resourceType, resourceId, method, owner } = operation;
  const resource =
    resourceType === 'snapshot'
      ? await store.snapshots.get(resourceId)
      : resourceType === 'volume'
        ? await store.volumes.get(resourceId)
        : null;
  const outcome = peerOutcome(operation, resource, Date.now());
  if (outcome.kind === 'waiting') return false;
  const ending =
    outcome.kind === 'done'
      ? ({ state: 'done' } as const)
      : ({
          state: 'failed',
          code: outcome.code,
          error: `${outcome.error}${await theirReason(store, operation)}`,
        } as const);
  // Without a worker: a record that a service of ours has claimed meanwhile is ended by that one.
  if (!(await store.operations.finish(id, null, ending))) return false;
  const fields = { request_id: operation.requestId, operation: id, method, resource: resourceId, owner };
  log.info({ ...fields, outcome: outcome.kind }, 'operation ended by another service');
  return true;
}

/** What the peer has told the users of its own API, as a further sentence. */
async function theirReason(store: Store, { resourceId, requestId }: Operation): Promise<string> {
  const reason = reasonInWords(await store.peers.reasonOf(resourceId, requestId));
  return reason === null ? '' : ` It says: ${reason}.`;
}
