/** The roll-call of weighers. */
import { failure } from '../../model/errors.ts';
import { allocatedCapacityWeigher } from './allocated-capacity.ts';
import { capacityWeigher } from './capacity.ts';
import { volumeNumberWeigher } from './volume-number.ts';
import type { Weigher } from './weigher.ts';

const choosable: readonly Weigher[] = [capacityWeigher, allocatedCapacityWeigher, volumeNumberWeigher];

/** The weighers of scheduler_default_weighers. Throws InvalidConfigurationValue for a name that does not exist. */
export function weighersByName(names: readonly string[]): readonly Weigher[] {
  return names.map((name) => {
    const weigher = choosable.find((candidate) => candidate.name === name);
    if (weigher !== undefined) return weigher;
    const known = choosable.map((candidate) => candidate.name).join(', ');
    throw failure('InvalidConfigurationValue', {
      option: 'scheduler_default_weighers',
      group: 'DEFAULT',
      reason: `there is no weigher ${name}; choose among ${known}`,
    });
  });
}
