/** The roll-call of routes: one exported array per file. */
import type { Route } from '../route.ts';
import { attachmentRoutes } from './attachments.ts';
import { availabilityZoneRoutes } from './availability-zones.ts';
import { emptyCollectionRoutes } from './empty-collections.ts';
import { extensionRoutes } from './extensions.ts';
import { extraSpecRoutes } from './extra-specs.ts';
import { hostRoutes } from './hosts.ts';
import { limitRoutes } from './limits.ts';
import { messageRoutes } from './messages.ts';
import { quotaSetRoutes } from './quota-sets.ts';
import { schedulerStatsRoutes } from './scheduler-stats.ts';
import { serviceRoutes } from './services.ts';
import { typeAccessRoutes } from './type-access.ts';
import { typeRoutes } from './types.ts';
import { volumeActionRoutes } from './volume-actions.ts';

export const routes: readonly Route[] = [
  // volumes, snapshots: volumes.ts, snapshots.ts, …
  ...volumeActionRoutes,
  ...attachmentRoutes,
  ...typeRoutes,
  ...extraSpecRoutes,
  ...typeAccessRoutes,
  ...serviceRoutes,
  ...hostRoutes,
  ...schedulerStatsRoutes,
  ...limitRoutes,
  ...quotaSetRoutes,
  ...messageRoutes,
  ...availabilityZoneRoutes,
  ...extensionRoutes,
  ...emptyCollectionRoutes,
];
