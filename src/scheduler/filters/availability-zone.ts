import { type Filter, pass, refuse } from './filter.ts';

/** The zone of the pool's service is the one asked for; without one asked for, any. */
export const availabilityZoneFilter: Filter = {
  name: 'AvailabilityZoneFilter',
  check({ service }, { availabilityZone }) {
    if (availabilityZone === null || service.availabilityZone === availabilityZone) return pass;
    return refuse(`is in zone ${service.availabilityZone}, ${availabilityZone} asked for`);
  },
};
