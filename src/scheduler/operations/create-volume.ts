import { serviceHost } from '../../model/backend.ts';
import { type AshlarError, failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import { volumeTransitions } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { type RequestArguments, requestArguments, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { announceUnplaced } from '../../service/announce.ts';
import { explain } from '../explain.ts';
import { filtersByName } from '../filters/index.ts';
import type { SchedulerOptions } from '../options.ts';
import { choosePool, type Desk, endFailed, handOver, type Outcome } from '../placement.ts';
import { type SelectionRules, withMultipliers } from '../select.ts';
import { weighersByName } from '../weighers/index.ts';

const { during, failed } = volumeTransitions.create;

/** The rules for new volumes, from the options. Throws InvalidConfigurationValue for names that do not exist. */
export function createRules(options: SchedulerOptions): SelectionRules {
  return {
    filters: filtersByName(options.scheduler_default_filters),
    weighers: withMultipliers(weighersByName(options.scheduler_default_weighers), options),
  };
}

/** Finds the new volume a place and hands it to that place's volume service. */
export async function placeNewVolume(desk: Desk, operation: Operation, rules: SelectionRules): Promise<Outcome> {
  const volume = await desk.limited(() => desk.store.volumes.get(operation.resourceId));
  if (volume === null) return endFailed(desk, operation, failure('VolumeNotFound', { id: operation.resourceId }));
  if (volume.status !== during) {
    const reason = `its status is ${volume.status}, not ${during}; nothing was created`;
    return endFailed(desk, operation, failure('Overtaken', { what: `volume ${volume.id}`, reason }));
  }
  // A scheduler of another make has placed it, and does not tell the record.
  if (volume.host !== null) return 'nothing to do';
  const parsed = requestArguments.create_volume.safeParse(operation.arguments);
  if (!parsed.success) {
    const error = failure('InvalidInput', { reason: `arguments of create_volume: ${parsed.error.message}` });
    return endFailed(desk, operation, error, { from: during, to: failed });
  }
  if (parsed.data.excludedHosts.length >= desk.options.scheduler_max_attempts) {
    return refuse(desk, operation, volume, tooManyAttempts(parsed.data));
  }
  const type = await desk.limited(() => desk.store.types.get(volume.volumeTypeId));
  const choice = await choosePool(
    desk,
    operation,
    {
      purpose: 'create',
      sizeGb: volume.sizeGb,
      extraSpecs: type?.extraSpecs ?? {},
      availabilityZone: parsed.data.availabilityZone,
      pinnedHost: parsed.data.pinnedHost,
      excludedHosts: parsed.data.excludedHosts,
      failures: parsed.data.failures,
      serviceDownTimeSeconds: desk.options.service_down_time,
    },
    rules,
  );
  if ('stopped' in choice) return 'left for later';
  if ('refusal' in choice) return refuse(desk, operation, volume, choice.refusal);
  const service = await desk.limited(() => desk.store.services.get(serviceHost(choice.pool.name), VOLUME_TOPIC));
  const changes = {
    host: choice.pool.name,
    serviceUuid: service?.uuid ?? null,
    scheduledAt: new Date(desk.clock.now()),
  };
  return handOver(
    desk,
    operation,
    choice,
    async (tx) => (await tx.volumes.updateIf(volume.id, { status: during, host: null }, changes)) !== null,
  );
}

/** There is no place for it. */
async function refuse(desk: Desk, operation: Operation, volume: Volume, error: AshlarError): Promise<Outcome> {
  const outcome = await endFailed(desk, operation, error, { from: during, to: failed });
  announceUnplaced(desk.store, operation, volume, error.message);
  return outcome;
}

/** Names every place that failed and what it said. */
function tooManyAttempts({ excludedHosts, failures }: RequestArguments<'create_volume'>) {
  const refused = excludedHosts.map((pool) => ({
    pool,
    filter: 'scheduler_max_attempts',
    reason: failures[pool] ?? 'failed; its log says why',
  }));
  const { brief } = explain(refused, `${excludedHosts.length} attempts failed and no more are made: `);
  return failure('NoValidBackend', { reason: brief });
}
