/** POST /volumes: checks the request against what is there, reserves its place, and hands the work to the scheduler. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import { volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import type { VolumeType } from '../../model/volume-type.ts';
import { type RequestArguments, SCHEDULER_TOPIC } from '../../rpcapi/requests.ts';
import { checkQuota } from '../quota-check.ts';
import type { ApiServices } from '../route.ts';
import { chooseAvailabilityZone } from './availability-zone.ts';
import { chooseVolumeType } from './choose-volume-type.ts';
import { findVolume } from './find.ts';
import { findSnapshot, lockSnapshot } from './find-snapshot.ts';
import { projectOf } from './project.ts';
import { recordOperation } from './record-operation.ts';
import { lockVolume } from './volume-status.ts';

export interface CreateVolume {
  /** GiB; null takes the source's. */
  readonly sizeGb: number | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Name or id. */
  readonly volumeType: string | null;
  readonly availabilityZone: string | null;
  readonly snapshotId: string | null;
  readonly sourceVolumeId: string | null;
}

/** Answers the new volume, in status creating, and its type. One transaction: either all of it is recorded, or nothing. */
export async function createVolume(
  services: ApiServices,
  context: RequestContext,
  input: CreateVolume,
): Promise<{ readonly volume: Volume; readonly type: VolumeType }> {
  const { options } = services;
  const id = randomUUID();
  const projectId = projectOf(context);
  const { operation, ...created } = await services.store.transaction(async (tx) => {
    await tx.quotas.lockProject(projectId);
    const source = await claimSource(tx, context, input);
    const sizeGb = chooseSize(input.sizeGb, source);
    const type = await chooseVolumeType(tx, context, options, input.volumeType, source?.typeId ?? null);
    const zone = await chooseAvailabilityZone(tx, options, input.availabilityZone, source?.zone ?? null);
    await checkQuota(tx, options, projectId, { volumes: 1, volumeGb: sizeGb, perVolumeGb: sizeGb });
    const volume = await tx.volumes.insert({
      id,
      userId: context.userId,
      projectId,
      sizeGb,
      status: volumeTransitions.create.during,
      attachStatus: 'detached',
      availabilityZone: zone,
      displayName: input.name,
      displayDescription: input.description,
      volumeTypeId: type.id,
      snapshotId: input.snapshotId,
      sourceVolumeId: input.sourceVolumeId,
      bootable: source?.bootable ?? false,
      multiattach: type.extraSpecs.multiattach === '<is> True',
      metadata: input.metadata,
      // The careful answer until the backend has given a better one.
      sharedTargets: true,
    });
    const operation = await recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'create_volume',
      arguments: {
        source: source?.argument ?? { kind: 'blank' },
        pinnedHost: source?.host ?? null,
        availabilityZone: zone,
        excludedHosts: [],
        failures: {},
      },
      owner: SCHEDULER_TOPIC,
    });
    return { volume, type, operation };
  });
  await services.operations.wake(operation, context);
  return created;
}

/** What a volume is made from. */
interface Source {
  readonly argument: RequestArguments<'create_volume'>['source'];
  readonly sizeGb: number;
  readonly typeId: string;
  readonly zone: string | null;
  readonly bootable: boolean;
  /** `host@backend#pool`: the only place that can copy it. */
  readonly host: string;
  readonly words: string;
}

/** Its row stays locked until the new volume is recorded, so that a delete that comes meanwhile sees the new volume. */
async function claimSource(tx: Store, context: RequestContext, input: CreateVolume): Promise<Source | null> {
  if (input.snapshotId !== null) return claimSnapshot(tx, context, input.snapshotId);
  if (input.sourceVolumeId !== null) return claimVolume(tx, context, input.sourceVolumeId);
  return null;
}

async function claimSnapshot(tx: Store, context: RequestContext, snapshotId: string): Promise<Source> {
  const snapshot = await lockSnapshot(tx, await findSnapshot(tx, context, snapshotId));
  if (snapshot.status !== 'available' && snapshot.status !== 'backing-up') {
    throw failure('InvalidSnapshot', {
      reason: `snapshot ${snapshotId} is ${snapshot.status}; to make a volume from it it must be available.`,
    });
  }
  const volume = await tx.volumes.get(snapshot.volumeId);
  const words = `snapshot ${snapshotId}`;
  return {
    argument: { kind: 'snapshot', snapshotId },
    sizeGb: snapshot.volumeSizeGb,
    typeId: snapshot.volumeTypeId,
    zone: volume?.availabilityZone ?? null,
    bootable: volume?.bootable ?? false,
    host: placeOf(volume, words),
    words,
  };
}

async function claimVolume(tx: Store, context: RequestContext, volumeId: string): Promise<Source> {
  const volume = await lockVolume(tx, await findVolume(tx, context, volumeId));
  if (!['available', 'in-use', 'backing-up'].includes(volume.status)) {
    throw failure('InvalidVolume', {
      reason: `source volume ${volumeId} is ${volume.status}; to copy it it must be available or in-use.`,
    });
  }
  const words = `volume ${volumeId}`;
  return {
    argument: { kind: 'volume', volumeId },
    sizeGb: volume.sizeGb,
    typeId: volume.volumeTypeId,
    zone: volume.availabilityZone,
    bootable: volume.bootable,
    host: placeOf(volume, words),
    words,
  };
}

function placeOf(volume: Volume | null, words: string): string {
  if (volume?.host != null) return volume.host;
  throw failure('InvalidInput', { reason: `${words} is on no backend, so it cannot be copied. Delete it.` });
}

function chooseSize(asked: number | null, source: Source | null): number {
  const sizeGb = asked ?? source?.sizeGb;
  if (sizeGb === undefined) throw failure('InvalidInput', { reason: 'volume.size: say how many GiB.' });
  if (source !== null && sizeGb < source.sizeGb) {
    throw failure('InvalidInput', {
      reason: `${sizeGb} GiB are less than the ${source.sizeGb} GiB of ${source.words}. Ask for as much, or leave it out.`,
    });
  }
  return sizeGb;
}
