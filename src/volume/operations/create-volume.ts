import type { VolumeRowChange } from '../../db/store.ts';
import type { DriverVolume } from '../../driver/driver.ts';
import { failure } from '../../model/errors.ts';
import { volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import type { RequestArguments } from '../../rpcapi/requests.ts';
import { defineOperation, loadSnapshot, loadVolume, type OperationContext, writeOutcome } from '../operation.ts';

const { during, done, failed, recover } = volumeTransitions.create;

/** Carves a volume, empty or from a snapshot or another volume. It is exported when somebody attaches it. */
export const createVolume = defineOperation({
  method: 'create_volume',
  recover,
  reschedule: true,
  changesCapacity: true,
  locks: ({ operation, args }) => [`volume:${operation.resourceId}`, ...sourceLock(args.source)],
  load: (store, { operation }) => loadVolume(store, operation.resourceId, during),
  async run(context, volume, { args }) {
    const { driver, toDriverVolume } = context.backend;
    const driverVolume = await toDriverVolume(volume);
    context.undo.defer(`volume ${volume.id} on the backend`, () => driver.deleteVolume(driverVolume));
    const original = await make(context, driverVolume, args.source);
    // A peer leaves it to the service to say where the volume is.
    const serviceUuid = volume.serviceUuid === null ? await context.backend.serviceUuid() : null;
    return { bootable: volume.bootable || original?.bootable === true, serviceUuid };
  },
  outcome,
  succeed: (tx, volume, result) => writeOutcome(tx, outcome(volume, result)),
  async fail(tx, volume) {
    await tx.volumes.updateIf(volume.id, { status: during }, { status: failed });
  },
});

type Source = RequestArguments<'create_volume'>['source'];

function sourceLock(source: Source): string[] {
  if (source.kind === 'snapshot') return [`snapshot:${source.snapshotId}`];
  return source.kind === 'volume' ? [`volume:${source.volumeId}`] : [];
}

function outcome(
  volume: Volume,
  { bootable, serviceUuid }: { readonly bootable: boolean; readonly serviceUuid: string | null },
): VolumeRowChange {
  const placed = serviceUuid === null ? {} : { serviceUuid, sharedTargets: volume.sharedTargets ?? true };
  const changes = { status: done, launchedAt: new Date(), bootable, ...placed };
  return { volumeId: volume.id, during: [during], changes };
}

/** Answers the volume that it was copied from, if it was. */
async function make(
  { store, backend }: OperationContext,
  volume: DriverVolume,
  source: Source,
): Promise<Volume | null> {
  const { driver } = backend;
  if (source.kind === 'blank') {
    await driver.createVolume(volume);
    return null;
  }
  if (source.kind === 'volume') {
    const original = await loadVolume(store, source.volumeId);
    await driver.createClonedVolume(volume, await backend.toDriverVolume(original));
    return original;
  }
  const { snapshot, volume: original } = await loadSnapshot(store, source.snapshotId);
  if (snapshot.status !== 'available') {
    throw failure('InvalidSnapshot', { reason: `snapshot ${snapshot.id} is ${snapshot.status}, not available` });
  }
  await driver.createVolumeFromSnapshot(volume, await backend.toDriverSnapshot(snapshot, original));
  return original;
}
