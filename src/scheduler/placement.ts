/** What the operations of the scheduler share: decide and promise, hand over, end. */
import { endOperation } from '../db/end-operation.ts';
import type { Store } from '../db/store.ts';
import type { Logger } from '../log/logger.ts';
import { serviceHost } from '../model/backend.ts';
import { type AshlarError, failure } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import type { Service } from '../model/service.ts';
import type { VolumeStatus } from '../model/status.ts';
import { SCHEDULER_TOPIC } from '../rpcapi/requests.ts';
import { explain } from './explain.ts';
import { backendStateFilter } from './filters/backend-state.ts';
import type { PlacementRequest } from './filters/filter.ts';
import type { HostStates } from './host-state.ts';
import type { SchedulerOptions } from './options.ts';
import type { PoolState, Reservation } from './pool-state.ts';
import { type Refusal, type SelectionRules, select } from './select.ts';

/** What became of an operation. `left for later`: it stays in the record, and a sweep takes it up again. */
export type Outcome = 'handed over' | 'refused' | 'nothing to do' | 'left for later';

/** What an operation of the scheduler gets to work with. */
export interface Desk {
  readonly store: Store;
  readonly states: HostStates;
  readonly options: SchedulerOptions;
  readonly log: Logger;
  /** The name under which this scheduler ends operations. */
  readonly worker: string;
  readonly clock: { now(): number };
  /** Bounds the work on the database. */
  readonly limited: <T>(work: () => Promise<T>) => Promise<T>;
  /** Resolves when the promises of room are in step with what was reported. */
  settled(): Promise<void>;
  /**
   * True, after a further report came, while the scheduler has just started and reports are still missing: then it is
   * too early to refuse. False at once otherwise.
   */
  waitForReports(services: readonly Service[]): Promise<boolean>;
  /** Sends the wake-up. Never throws. */
  wake(operation: Operation): Promise<void>;
  readonly stopping: AbortSignal;
}

export type Choice =
  | { readonly pool: PoolState; readonly reservation: Reservation }
  | { readonly refusal: AshlarError }
  | { readonly stopped: true };

/**
 * Finds a pool and promises the room in it to the operation. Deciding and promising is one synchronous step, so that two
 * requests never get the same room, however their database work overlaps.
 */
export async function choosePool(
  desk: Desk,
  operation: Operation,
  request: PlacementRequest,
  rules: SelectionRules,
): Promise<Choice> {
  const { states, log } = desk;
  for (;;) {
    const services = await desk.limited(() => desk.store.services.list({ binary: 'cinder-volume' }));
    await desk.settled();
    // Nothing below awaits before the promise is made.
    states.release(operation.id);
    const isExtend = request.purpose === 'extend';
    const pools = isExtend ? poolOf(states, request.pinnedHost) : states.pools();
    const owners = isExtend ? services.filter(({ host }) => isOwner(host, request.pinnedHost)) : services;
    const fleet = { pools, services: owners, whyWithoutPools: states.whyWithoutPools };
    const selection = select(request, fleet, rules);
    if ('chosen' in selection) {
      const reservation: Reservation = {
        operationId: operation.id,
        pool: selection.chosen.name,
        gb: request.sizeGb,
        volumes: isExtend ? 0 : 1,
        placedAtMs: desk.clock.now(),
      };
      states.reserve(reservation);
      return { pool: selection.chosen, reservation };
    }
    if (await desk.waitForReports(owners)) continue;
    if (desk.stopping.aborted) return { stopped: true };
    const refused = isExtend && owners.length === 0 ? noOwner(request) : selection.refused;
    const { brief, full } = explain(refused);
    log.warn({ operation: operation.id, request_id: operation.requestId, refused }, `no pool: ${full}`);
    return { refusal: failure('NoValidBackend', { reason: brief }) };
  }
}

/** Places the operation with the volume service of the pool, together with the changes of its volume. */
export async function handOver(
  desk: Desk,
  operation: Operation,
  { pool, reservation }: { readonly pool: PoolState; readonly reservation: Reservation },
  changeVolume: (tx: Store) => Promise<boolean>,
): Promise<Outcome> {
  const handed = await desk.limited(() =>
    desk.store.transaction(async (tx) => {
      if (!(await changeVolume(tx))) throw overtaken(operation);
      const next = await tx.operations.handOver(operation.id, { owner: SCHEDULER_TOPIC }, serviceHost(pool.name));
      if (next === null) throw overtaken(operation);
      return next;
    }),
  );
  // Only a report made from now on counts it among what is allocated.
  desk.states.reserve({ ...reservation, placedAtMs: desk.clock.now() });
  const fields = { request_id: operation.requestId, operation: operation.id, volume: operation.resourceId };
  desk.log.info({ ...fields, pool: pool.name }, 'placed');
  await desk.wake(handed);
  return 'handed over';
}

/** Ends the operation as failed, together with its volume's status where the volume still waits for it. */
export async function endFailed(
  desk: Desk,
  operation: Operation,
  error: AshlarError,
  volume?: { readonly from: VolumeStatus; readonly to: VolumeStatus },
): Promise<Outcome> {
  await desk.limited(() =>
    desk.store.transaction(async (tx) => {
      if (volume !== undefined) {
        const changed = await tx.volumes.updateIf(operation.resourceId, { status: volume.from }, { status: volume.to });
        if (changed === null) throw overtaken(operation);
      }
      // Claiming first makes sure that no other scheduler has handed it over meanwhile.
      const claimed = await tx.operations.claim(operation.id, SCHEDULER_TOPIC, desk.worker);
      const outcome = { state: 'failed', code: error.code, error: error.message } as const;
      if (claimed === null || !(await endOperation(tx, operation, desk.worker, outcome))) {
        throw overtaken(operation);
      }
    }),
  );
  desk.states.release(operation.id);
  const fields = { request_id: operation.requestId, operation: operation.id, resource: operation.resourceId };
  desk.log.info({ ...fields, code: error.code }, 'refused');
  return 'refused';
}

function overtaken(operation: Operation): AshlarError {
  return failure('Overtaken', {
    what: `operation ${operation.id} (${operation.method} of ${operation.resourceId})`,
    reason: 'the volume or the operation is not in the state any more in which the scheduler found it',
  });
}

function poolOf(states: HostStates, host: string | null): readonly PoolState[] {
  const pool = host === null ? null : states.find(host);
  return pool === null ? [] : [pool];
}

function noOwner({ pinnedHost }: PlacementRequest): readonly Refusal[] {
  const reason = 'its volume service has no record; start it';
  return [{ pool: pinnedHost ?? 'nowhere', filter: backendStateFilter.name, reason }];
}

function isOwner(host: string, volumeHost: string | null): boolean {
  return volumeHost !== null && serviceHost(volumeHost) === host;
}
