/** Availability zones, as the volume services name them. */
import { defineRoute, type Route } from '../route.ts';
import { availabilityZoneViews } from '../views/availability-zone.ts';
import { VOLUME_BINARY } from '../views/service.ts';

const list = defineRoute({
  method: 'GET',
  path: '/os-availability-zone',
  summary: 'List availability zones',
  async handle({ services }) {
    const volumeServices = await services.store.services.list({ binary: VOLUME_BINARY });
    return { status: 200, body: { availabilityZoneInfo: availabilityZoneViews(volumeServices) } };
  },
});

export const availabilityZoneRoutes: readonly Route[] = [list];
