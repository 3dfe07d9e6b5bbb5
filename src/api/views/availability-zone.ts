/** Availability zones as clients read them. Pure. */
import type { Service } from '../../model/service.ts';

/** A zone is available while one of its volume services is enabled. In the order in which the services name them. */
export function availabilityZoneViews(volumeServices: readonly Service[]) {
  const available = new Map<string, boolean>();
  for (const { availabilityZone, disabled } of volumeServices) {
    available.set(availabilityZone, (available.get(availabilityZone) ?? false) || !disabled);
  }
  return [...available].map(([zoneName, isAvailable]) => ({ zoneName, zoneState: { available: isAvailable } }));
}
