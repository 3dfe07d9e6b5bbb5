import { snapshotTransitions } from '../../model/status.ts';
import { defineOperation, loadSnapshot } from '../operation.ts';

const { during, done, failed, recover } = snapshotTransitions.create;

export const createSnapshot = defineOperation({
  method: 'create_snapshot',
  recover,
  changesCapacity: true,
  locks: ({ operation, args }) => [`snapshot:${operation.resourceId}`, `volume:${args.volumeId}`],
  load: (store, { operation }) => loadSnapshot(store, operation.resourceId, during),
  async run({ backend, undo }, { snapshot, volume }) {
    const driverSnapshot = await backend.toDriverSnapshot(snapshot, volume);
    undo.defer(`snapshot ${snapshot.id} on the backend`, () => backend.driver.deleteSnapshot(driverSnapshot));
    await backend.driver.createSnapshot(driverSnapshot);
  },
  async succeed(tx, { snapshot }) {
    const changes = { status: done, progress: '100%' };
    return (await tx.snapshots.updateIf(snapshot.id, { status: during }, changes)) !== null;
  },
  async fail(tx, { snapshot }) {
    await tx.snapshots.updateIf(snapshot.id, { status: during }, { status: failed });
  },
});
