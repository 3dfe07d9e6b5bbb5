/** The roll-call of routes: one exported array per file. */
import type { Route } from '../route.ts';
import { volumeActionRoutes } from './volume-actions.ts';

export const routes: readonly Route[] = [
  // volumes, snapshots: volumes.ts, snapshots.ts, …
  ...volumeActionRoutes,
  // attachments.ts:      ...attachmentRoutes,
  // types.ts:            ...typeRoutes,
  // services.ts:         ...serviceRoutes,
  // scheduler-stats.ts:  ...schedulerStatsRoutes,
  // limits.ts:           ...limitRoutes,
  // quota-sets.ts:       ...quotaSetRoutes,
  // messages.ts:         ...messageRoutes,
];
