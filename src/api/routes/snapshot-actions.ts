/** POST /snapshots/{id}/action. */
import { z } from 'zod';
import type { Store } from '../../db/store.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { SnapshotStatus } from '../../model/status.ts';
import { announceSnapshot } from '../../service/announce.ts';
import { actionRoute } from '../action-route.ts';
import { deleteSnapshot } from '../requests/delete-snapshot.ts';
import { findSnapshot, lockSnapshot } from '../requests/find-snapshot.ts';
import { type Action, defineAction } from '../route.ts';

const statuses = [
  'error',
  'available',
  'creating',
  'deleting',
  'deleted',
  'updating',
  'error_deleting',
  'unmanaging',
  'backing-up',
  'restoring',
] as const satisfies readonly SnapshotStatus[];

const resetStatus = defineAction({
  name: 'os-reset_status',
  admin: true,
  summary: 'Say what status a snapshot has; nothing is done to it',
  body: z.strictObject({ status: z.string().toLowerCase().pipe(z.enum(statuses)) }),
  async handle({ services, context, params, body }) {
    const { store } = services;
    const before = await change(store, context, params.id!, () => ({ status: body.status }));
    announceSnapshot(store, { event: 'reset_status.start', context, row: before });
    announceSnapshot(store, { event: 'reset_status.end', context, row: { ...before, status: body.status } });
    return { status: 202 };
  },
});

const forceDelete = defineAction({
  name: 'os-force_delete',
  admin: true,
  summary: 'Delete a snapshot in whatever status it is',
  body: z.unknown(),
  async handle({ services, context, params }) {
    await deleteSnapshot(services, context, params.id!, { force: true });
    return { status: 202 };
  },
});

/** What somebody who makes snapshots on the server's behalf (Nova, for some backends) may report. */
const reportable: Readonly<Partial<Record<SnapshotStatus, readonly SnapshotStatus[]>>> = {
  creating: ['creating', 'available', 'error'],
  deleting: ['deleting', 'error_deleting'],
};

const updateStatus = defineAction({
  name: 'os-update_snapshot_status',
  summary: 'Report how the making or deleting of a snapshot goes',
  body: z.strictObject({
    status: z.enum(statuses),
    progress: z
      .string()
      .regex(/^(\d{1,2}|100)%$/, 'expected 0% to 100%')
      .nullish(),
  }),
  async handle({ services, context, params, body }) {
    await change(services.store, context, params.id!, (current) => {
      if (reportable[current]?.includes(body.status) !== true) {
        throw failure('InvalidInput', {
          reason: `snapshot ${params.id} is ${current}, so ${body.status} cannot be reported of it.`,
        });
      }
      return { status: body.status, ...(body.progress ? { progress: body.progress } : {}) };
    });
    return { status: 202 };
  },
});

/** Answers it as it was before. */
async function change(
  store: Store,
  context: RequestContext,
  id: string,
  decide: (current: SnapshotStatus) => { readonly status: SnapshotStatus; readonly progress?: string },
): Promise<Snapshot> {
  return store.transaction(async (tx) => {
    const snapshot = await lockSnapshot(tx, await findSnapshot(tx, context, id));
    await tx.snapshots.updateIf(id, {}, decide(snapshot.status));
    return snapshot;
  });
}

/** The roll-call of actions on a snapshot. */
const snapshotActions: readonly Action[] = [resetStatus, forceDelete, updateStatus];

export const snapshotActionRoutes = [actionRoute('/snapshots/:id/action', 'Act on a snapshot', snapshotActions)];
