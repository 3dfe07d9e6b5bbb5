/** os-initialize_connection, os-terminate_connection: the older calls that let an initiator in, and out. */
import type { Connector } from '../../model/connector.ts';
import type { RequestContext } from '../../model/context.ts';
import type { VolumeStatus } from '../../model/status.ts';
import type { ApiServices } from '../route.ts';
import { backendOf } from './create-attachment.ts';
import { findVolume } from './find.ts';
import { performOperation, recordOperation } from './record-operation.ts';
import { unreserveVolume } from './reserve-volume.ts';
import { wrongStatus } from './volume-status.ts';

const connectable: readonly VolumeStatus[] = ['available', 'reserved', 'attaching', 'in-use', 'detaching'];

/** Answers `{driver_volume_type, data}`, with the CHAP password. The volume's status stays as it is. */
export async function initializeConnection(
  services: ApiServices,
  context: RequestContext,
  id: string,
  connector: Connector,
): Promise<unknown> {
  const operation = await services.store.transaction(async (tx) => {
    const volume = await findVolume(tx, context, id);
    if (!connectable.includes(volume.status)) throw wrongStatus(volume, 'connect', connectable);
    return recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'initialize_connection',
      arguments: { connector },
      owner: backendOf(volume),
    });
  });
  return performOperation(services, context, operation);
}

/** Takes the initiator's right away, and the caller's claim on the volume. A null connector means every initiator. */
export async function terminateConnection(
  services: ApiServices,
  context: RequestContext,
  id: string,
  input: { readonly connector: Connector | null; readonly force: boolean },
): Promise<void> {
  const operation = await services.store.transaction(async (tx) => {
    const volume = await findVolume(tx, context, id);
    return recordOperation(tx, context, {
      resourceType: 'volume',
      resourceId: id,
      method: 'terminate_connection',
      arguments: input,
      owner: backendOf(volume),
    });
  });
  await performOperation(services, context, operation);
  await unreserveVolume(services, context, id);
}
