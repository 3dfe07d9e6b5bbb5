import type { Connector } from '../../model/connector.ts';
import { connectionRecovery } from '../../model/status.ts';
import { consumersLeft, disconnect, notExported } from '../export.ts';
import { defineOperation, loadVolume } from '../operation.ts';

/** The older way to disconnect an initiator; the export goes with the last one. */
export const terminateConnection = defineOperation({
  method: 'terminate_connection',
  recover: connectionRecovery.terminate,
  locks: ({ operation }) => [`volume:${operation.resourceId}`],
  load: (store, { operation }) => loadVolume(store, operation.resourceId),
  async run(context, volume, { args }) {
    const connector = args.connector as Connector | null;
    const attachments = await context.store.attachments.listByVolume(volume.id);
    const last = consumersLeft(attachments, { connector }).length === 0;
    await disconnect(context, volume, { connector, last });
    return { last };
  },
  async succeed(tx, volume, { last }) {
    if (last) await tx.volumes.updateIf(volume.id, {}, notExported);
    return true;
  },
  async fail() {
    // The status is the caller's business, and the export may still serve.
  },
  answer: () => null,
});
