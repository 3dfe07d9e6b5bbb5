import type { Store } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import type { ApiOptions } from '../options.ts';

type ZoneOptions = Pick<
  ApiOptions,
  'default_availability_zone' | 'storage_availability_zone' | 'allow_availability_zone_fallback'
>;

/**
 * The zone of a new volume: the one asked for, else its source's, else the default. InvalidInput for a zone without an
 * enabled volume service, or another than the source's: only the backend that holds the source can copy it.
 */
export async function chooseAvailabilityZone(
  store: Store,
  options: ZoneOptions,
  asked: string | null,
  sourceZone: string | null,
): Promise<string> {
  const fallback = options.default_availability_zone ?? options.storage_availability_zone;
  const zone = asked ?? sourceZone ?? fallback;
  if (sourceZone !== null && zone !== sourceZone) {
    throw failure('InvalidInput', { reason: `the source is in availability zone ${sourceZone}, not in ${zone}.` });
  }
  const services = await store.services.list({ binary: 'cinder-volume' });
  const known = new Set(services.filter(({ disabled }) => !disabled).map(({ availabilityZone }) => availabilityZone));
  if (known.has(zone)) return zone;
  if (options.allow_availability_zone_fallback && known.has(fallback)) return fallback;
  const names = known.size === 0 ? 'There is none: no volume service is enabled.' : `Known: ${[...known].join(', ')}.`;
  throw failure('InvalidInput', { reason: `availability zone '${zone}' is not there. ${names}` });
}
