/**
 * An OperationRpc that does on the store what a volume service would, at once and without a backend: for tests of what
 * asks for connections. It claims and finishes each operation, so that the record tells the same story as with a real one.
 */
import type { Store } from '../../src/db/store.ts';
import { type AshlarError, failure, isFailure } from '../../src/model/errors.ts';
import type { Operation } from '../../src/model/operation.ts';
import { type AttachmentStatus, attachmentTransitions, statusFromAttachments } from '../../src/model/status.ts';
import type { OperationRpc } from '../../src/rpcapi/operations.ts';
import type { OperationMethod, RequestArguments } from '../../src/rpcapi/requests.ts';

export interface StandIn extends OperationRpc {
  /** The methods that were performed, in order. */
  readonly performed: readonly string[];
  /** The next operation fails with this. */
  failNext(error: AshlarError): void;
  /** Until it is called with null, operations stay queued and `perform` throws this, as when nobody answers. */
  setSilent(error: AshlarError | null): void;
}

const WORKER = '00000000-0000-4000-8000-000000000001';

export function createStandIn(store: Store): StandIn {
  const performed: string[] = [];
  let next: AshlarError | null = null;
  let silence: AshlarError | null = null;
  const perform = async (operation: Operation): Promise<unknown> => {
    if (silence !== null) throw silence;
    performed.push(operation.method);
    if ((await store.operations.claim(operation.id, operation.owner, WORKER)) === null) {
      throw failure('Overtaken', { what: `Operation ${operation.id}`, reason: 'it is not queued' });
    }
    const planned = next;
    next = null;
    try {
      if (planned !== null) throw planned;
      const result = await store.transaction(async (tx) => {
        await lock(tx, operation);
        return act(tx, operation);
      });
      await store.operations.finish(operation.id, WORKER, { state: 'done' });
      return result;
    } catch (error) {
      if (!isFailure(error)) throw error;
      await store.transaction(async (tx) => {
        await lock(tx, operation);
        await giveUp(tx, operation);
      });
      const outcome = { state: 'failed', code: error.code, error: error.message } as const;
      await store.operations.finish(operation.id, WORKER, outcome);
      throw error;
    }
  };
  return {
    performed,
    failNext: (error) => {
      next = error;
    },
    setSilent: (error) => {
      silence = error;
    },
    wake: async () => undefined,
    perform,
  };
}

/** Takes the volume's row before its attachments are read: otherwise two that end at once each see the other one still there. */
async function lock(tx: Store, { resourceId, arguments: { volumeId } }: Operation): Promise<void> {
  await tx.volumes.updateIf(typeof volumeId === 'string' ? volumeId : resourceId, {}, {});
}

async function act(tx: Store, { method, resourceId, arguments: args }: Operation): Promise<unknown> {
  switch (method as OperationMethod) {
    case 'attachment_update': {
      const { volumeId, connector } = args as RequestArguments<'attachment_update'>;
      const connectionInfo = {
        ...connectionData(volumeId, connector),
        driver_volume_type: 'iscsi',
        attachment_id: resourceId,
      };
      const changes = { attachStatus: attachmentTransitions.connect.done, connector, connectionInfo };
      await tx.attachments.updateIf(resourceId, { attachStatus: attachmentTransitions.connect.accepts }, changes);
      await settle(tx, volumeId);
      return connectionInfo;
    }
    case 'attachment_delete': {
      const { volumeId } = args as RequestArguments<'attachment_delete'>;
      await end(tx, resourceId, attachmentTransitions.disconnect.done);
      await settle(tx, volumeId);
      return null;
    }
    case 'initialize_connection': {
      const { connector } = args as RequestArguments<'initialize_connection'>;
      return { driver_volume_type: 'iscsi', data: connectionData(resourceId, connector) };
    }
    case 'attach_volume': {
      const { attachmentId, instanceId, hostName, mountpoint, mode } = args as RequestArguments<'attach_volume'>;
      await tx.attachments.insert({
        id: attachmentId,
        volumeId: resourceId,
        attachStatus: 'attached',
        instanceId,
        attachedHost: hostName,
        mountpoint,
        attachMode: mode,
        attachTime: new Date(),
      });
      await settle(tx, resourceId);
      return { attachment_id: attachmentId };
    }
    case 'detach_volume': {
      const { attachmentId } = args as RequestArguments<'detach_volume'>;
      const attachments = await tx.attachments.listByVolume(resourceId);
      const leaving = attachments.find(({ id }) => attachmentId === null || id === attachmentId);
      if (leaving !== undefined) await end(tx, leaving.id, 'detached');
      await settle(tx, resourceId);
      return null;
    }
    default:
      return null;
  }
}

async function giveUp(tx: Store, { method, resourceId, arguments: args }: Operation): Promise<void> {
  if (method !== 'attachment_update') return;
  const { volumeId, created } = args as RequestArguments<'attachment_update'>;
  if (created) await end(tx, resourceId, 'deleted');
  else await tx.attachments.updateIf(resourceId, {}, { attachStatus: attachmentTransitions.connect.failed });
  await settle(tx, volumeId);
}

async function end(tx: Store, id: string, attachStatus: AttachmentStatus): Promise<void> {
  const now = new Date();
  await tx.attachments.updateIf(id, {}, { attachStatus, detachTime: now, deleted: true, deletedAt: now });
}

async function settle(tx: Store, volumeId: string): Promise<void> {
  const attachments = await tx.attachments.listByVolume(volumeId);
  await tx.volumes.updateIf(volumeId, {}, statusFromAttachments(attachments.map(({ attachStatus }) => attachStatus)));
}

function connectionData(volumeId: string, connector: Readonly<Record<string, unknown>>) {
  if (typeof connector.initiator !== 'string') throw failure('InvalidConnector', { missing: 'initiator' });
  return {
    target_discovered: false,
    target_portal: '127.0.0.1:3260',
    target_iqn: `iqn.2010-10.org.openstack:volume-${volumeId}`,
    target_lun: 1,
    volume_id: volumeId,
    auth_method: 'CHAP',
    auth_username: 'u',
    auth_password: 'p',
    access_mode: 'rw',
  };
}
