/**
 * Keeps the promises of room in step with the operation record. A promise ends with the first report that was made after
 * its operation ended: until then the backend's own figures may not show the volume. Promises that other schedulers
 * made, or this one before a restart, are found in the record.
 */
import type { Store } from '../db/store.ts';
import { forEachBounded } from '../lib/bounded.ts';
import type { Operation } from '../model/operation.ts';
import { requestArguments } from '../rpcapi/requests.ts';
import type { HostStates } from './host-state.ts';
import type { Reservation } from './pool-state.ts';

/** Unfinished operations of one backend that are looked at; those beyond are found by a later report. */
const UNFINISHED_LIMIT = 1000;
/** Look-ups in the database at the same time. */
const CONCURRENCY = 4;

/** `placing`: keyed by the operations that are being placed at this moment; their promises are not touched. */
export async function settleReservations(
  store: Store,
  states: HostStates,
  serviceHost: string,
  placing: ReadonlyMap<string, unknown>,
): Promise<void> {
  const untouchable = new Set(placing.keys());
  const before = states.reservations(serviceHost).filter(({ operationId }) => !untouchable.has(operationId));
  const unfinished = await store.operations.listUnfinished(serviceHost, UNFINISHED_LIMIT);
  const unfinishedIds = new Set(unfinished.map(({ id }) => id));
  const promised = new Set(before.map(({ operationId }) => operationId));

  const unknown = unfinished.filter(({ id }) => !promised.has(id) && !untouchable.has(id));
  await forEachBounded(unknown, CONCURRENCY, async (operation) => {
    const reservation = await reservationOf(store, states, operation);
    if (reservation !== null && !placing.has(operation.id)) states.reserve(reservation);
  });
  const perhapsEnded = before.filter(({ operationId }) => !unfinishedIds.has(operationId));
  await forEachBounded(perhapsEnded, CONCURRENCY, async (reservation) => {
    const operation = await store.operations.get(reservation.operationId);
    if (!placing.has(reservation.operationId) && isOver(operation, reservation, states, serviceHost)) {
      states.release(reservation.operationId);
    }
  });
}

function isOver(
  operation: Operation | null,
  reservation: Reservation,
  states: HostStates,
  serviceHost: string,
): boolean {
  if (operation === null) return true;
  if (operation.finishedAt === null) return operation.owner !== serviceHost;
  const pool = states.find(reservation.pool);
  return pool === null || operation.finishedAt.getTime() <= pool.reportedAtMs;
}

/** The promise behind an unfinished operation of a volume service; null where it needs no room. */
async function reservationOf(store: Store, states: HostStates, operation: Operation): Promise<Reservation | null> {
  if (operation.method !== 'create_volume' && operation.method !== 'extend_volume') return null;
  const volume = await store.volumes.get(operation.resourceId);
  const pool = volume?.host ? states.find(volume.host) : null;
  if (volume === null || pool === null) return null;
  const placedAtMs = (volume.scheduledAt ?? operation.createdAt).getTime();
  const promise = { operationId: operation.id, pool: pool.name, placedAtMs };
  if (operation.method === 'create_volume') return { ...promise, gb: volume.sizeGb, volumes: 1 };
  const args = requestArguments.extend_volume.safeParse(operation.arguments);
  const growthGb = args.success ? args.data.newSizeGb - volume.sizeGb : 0;
  return growthGb > 0 ? { ...promise, gb: growthGb, volumes: 0, placedAtMs: operation.createdAt.getTime() } : null;
}
