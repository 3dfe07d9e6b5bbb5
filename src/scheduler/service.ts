/** The scheduler as a running service: listens, beats, takes up what was left, finds what was lost. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../db/store.ts';
import { withTimeout } from '../lib/timers.ts';
import type { Logger } from '../log/logger.ts';
import type { RequestContext } from '../model/context.ts';
import { failure, messageOf } from '../model/errors.ts';
import { requestCapabilities } from '../rpc/clients.ts';
import type { Transport } from '../rpc/transport.ts';
import { SCHEDULER_TOPIC } from '../rpcapi/requests.ts';
import { startHeartbeat } from '../service/heartbeat.ts';
import { createInbox } from '../service/inbox.ts';
import { answerInquiries } from '../service/inquiries.ts';
import { createOperationRpc } from '../service/peers/operation-rpc.ts';
import { startPeerSettlement } from '../service/peers/settlement.ts';
import { startPeriodicTask } from '../service/periodic-task.ts';
import type { RunningService } from '../service/service.ts';
import { completeForScheduler, directMethods } from './direct-methods.ts';
import { createSchedulerManager } from './manager.ts';
import type { SchedulerOptions } from './options.ts';

const SWEEP_INTERVAL_MS = 10_000;
/** How long an ended operation can be asked about, and how many are forgotten at a time. */
const KEEP_SECONDS = 30 * 24 * 3600;
const PRUNE_INTERVAL_MS = 3600_000;
const PRUNE_LIMIT = 20_000;

export type SchedulerService = RunningService;

export async function startSchedulerService(options: {
  readonly store: Store;
  readonly transport: Transport;
  readonly host: string;
  readonly options: SchedulerOptions;
  readonly availabilityZone: string;
  readonly reportIntervalMs: number;
  readonly enableNewServices: boolean;
  readonly log: Logger;
}): Promise<SchedulerService> {
  const { store, transport, host, log } = options;
  const operations = createOperationRpc({ transport, store, log });
  const manager = createSchedulerManager({ store, operations, options: options.options, log });
  const stopping = new AbortController();
  const inbox = createInbox({
    topic: SCHEDULER_TOPIC,
    owner: SCHEDULER_TOPIC,
    store,
    log,
    stopping: stopping.signal,
    complete: completeForScheduler,
    async perform(id, onClaimed) {
      const outcome = await manager.perform(id);
      // Another scheduler may serve the queue by now; what stays here is found by a sweep.
      if (outcome === 'left for later' && stopping.signal.aborted) {
        throw failure('ServiceUnavailable', { reason: `scheduler ${host} is stopping; ask another` });
      }
      onClaimed();
      return null;
    },
    forward: (operation, context) => operations.wake(operation, context),
    direct: directMethods(manager, () => sweep.trigger()),
  });
  const heartbeat = await startHeartbeat({
    store,
    host,
    binary: SCHEDULER_TOPIC,
    availabilityZone: options.availabilityZone,
    intervalMs: options.reportIntervalMs,
    enableNewServices: options.enableNewServices,
    log,
  });
  const listener = await transport.listen({ topic: SCHEDULER_TOPIC, server: host }, inbox);
  const inquiries = await answerInquiries({ transport, binary: SCHEDULER_TOPIC, host, status: () => ({}) });
  await requestCapabilities(transport, serviceContext());
  // A database that is away just now does not end the process: the sweep looks again.
  const recovering = manager.recover().catch((error: unknown) => {
    log.warn({ reason: messageOf(error) }, 'waiting operations not taken up yet; the sweep looks again');
  });
  const sweep = startPeriodicTask({
    name: 'scheduler sweep',
    intervalMs: SWEEP_INTERVAL_MS,
    work: async () => {
      await manager.sweep();
    },
    log,
  });
  const settlement = transport.reach === 'network' ? startPeerSettlement({ store, log }) : null;
  const pruning = startPeriodicTask({
    name: 'operation record pruning',
    intervalMs: PRUNE_INTERVAL_MS,
    work: async () => {
      const removed = await store.operations.prune(KEEP_SECONDS, PRUNE_LIMIT);
      if (removed > 0) log.info({ removed }, 'records of operations that ended long ago are removed');
    },
    log,
  });
  return {
    name: `${SCHEDULER_TOPIC} ${host}`,
    async stop({ timeoutMs }) {
      const drained = Promise.all([
        ...[manager.stop(), recovering, listener.close({ timeoutMs })],
        ...[sweep, pruning, settlement].map((task) => task?.stop()),
      ]);
      await withTimeout(drained, timeoutMs, () => new Error('timeout')).catch(() => {
        log.warn({}, 'scheduler stopped with placements under way; the next start takes them up');
      });
      await Promise.all([heartbeat.stop(), inquiries.stop()]);
    },
  };
}

function serviceContext(): RequestContext {
  return { requestId: `req-${randomUUID()}`, userId: null, projectId: null, isAdmin: true, roles: ['admin'] };
}
