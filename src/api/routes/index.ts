/** The roll-call of routes: one exported array per file. */
import type { Route } from '../route.ts';
import { ashlarRoutes } from './ashlar.ts';
import { attachmentRoutes } from './attachments.ts';
import { availabilityZoneRoutes } from './availability-zones.ts';
import { emptyCollectionRoutes } from './empty-collections.ts';
import { extensionRoutes } from './extensions.ts';
import { extraSpecRoutes } from './extra-specs.ts';
import { hostRoutes } from './hosts.ts';
import { limitRoutes } from './limits.ts';
import { messageRoutes } from './messages.ts';
import { metadataRoutes } from './metadata.ts';
import { quotaSetRoutes } from './quota-sets.ts';
import { schedulerStatsRoutes } from './scheduler-stats.ts';
import { serviceRoutes } from './services.ts';
import { snapshotActionRoutes } from './snapshot-actions.ts';
import { snapshotRoutes } from './snapshots.ts';
import { typeAccessRoutes } from './type-access.ts';
import { typeRoutes } from './types.ts';
import { volumeActionRoutes } from './volume-actions.ts';
import { volumeRoutes } from './volumes.ts';

export const routes: readonly Route[] = [
  ...volumeRoutes,
  ...volumeActionRoutes,
  ...snapshotRoutes,
  ...snapshotActionRoutes,
  ...metadataRoutes,
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
  ...ashlarRoutes,
];
