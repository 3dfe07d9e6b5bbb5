import { followsAttachments } from '../../db/settle-volume.ts';
import type { VolumeRowChange } from '../../db/store.ts';
import type { ConnectionInfo, ExportRecord } from '../../driver/target.ts';
import type { Connector } from '../../model/connector.ts';
import { failure } from '../../model/errors.ts';
import { connectionRecovery } from '../../model/status.ts';
import type { Volume } from '../../model/volume.ts';
import { connect, disconnect, notExported } from '../export.ts';
import { defineOperation, loadVolume, writeOutcome } from '../operation.ts';

/** The older way to connect: exports the volume to a connector; the status is the caller's own business. */
export const initializeConnection = defineOperation({
  method: 'initialize_connection',
  recover: connectionRecovery.initialize,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  async load(store, { operation }) {
    const volume = await loadVolume(store, operation.resourceId);
    if (!(followsAttachments as readonly string[]).includes(volume.status)) {
      throw failure('InvalidVolume', { reason: `volume ${volume.id} is ${volume.status} and cannot be connected to` });
    }
    return volume;
  },
  async run(context, volume, { args }) {
    const { exported, info } = await connect(context, volume, args.connector as Connector);
    return { exported, connection: connectionOf(info) };
  },
  outcome,
  succeed: (tx, volume, result) => writeOutcome(tx, outcome(volume, result)),
  async fail() {
    // The status was never touched; what was exported has been taken back.
  },
  async takeBack(context, volume) {
    // A recorded location means that the export belongs to somebody who connected earlier.
    if (volume.providerLocation !== null) return;
    await disconnect(context, volume, { connector: null, last: true });
    await context.store.volumes.updateIf(volume.id, {}, notExported);
  },
  answer: (result) => result.connection,
  async answerAgain(_, { operation }) {
    // Letting the initiator in once more could undo a terminate_connection that came since.
    const reason = 'its connection was told once and is not kept; initialize it again';
    throw failure('Overtaken', { what: `Volume ${operation.resourceId}`, reason });
  },
});

interface Result {
  readonly exported: ExportRecord;
  readonly connection: ReturnType<typeof connectionOf>;
}

function outcome({ id }: Volume, { exported }: Result): VolumeRowChange {
  return { volumeId: id, during: followsAttachments, changes: { providerLocation: exported.providerLocation } };
}

function connectionOf({ driver_volume_type, data }: ConnectionInfo) {
  return { driver_volume_type, data: { ...data, access_mode: 'rw', encrypted: false, qos_specs: null } };
}
