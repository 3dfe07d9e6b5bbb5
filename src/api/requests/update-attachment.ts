/** PUT /attachments/{id}: connects a reserved attachment. */
import { isDeepStrictEqual } from 'node:util';
import type { Attachment } from '../../model/attachment.ts';
import type { Connector } from '../../model/connector.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import { attachmentTransitions } from '../../model/status.ts';
import type { ApiServices } from '../route.ts';
import { recordConnect } from './create-attachment.ts';
import { findAttachment, findVolume } from './find.ts';
import { findUnfinished, performOperation } from './record-operation.ts';
import { lockVolume } from './volume-status.ts';

/**
 * Answers the attachment with its connection. Asking again with the same connector answers the same; with another one
 * it is an InvalidInput, because the first initiator may already be logged in.
 */
export async function updateAttachment(
  services: ApiServices,
  context: RequestContext,
  id: string,
  connector: Connector,
): Promise<Attachment> {
  const { store } = services;
  const step = await store.transaction(async (tx) => {
    const found = await findAttachment(tx, context, id);
    const volume = await lockVolume(tx, await findVolume(tx, context, found.volumeId));
    const attachment = await findAttachment(tx, context, id);
    const running = await findUnfinished(tx, id, 'attachment_update');
    if (running !== null) return { attachment, operation: sameConnector(attachment, running, connector) };
    if (attachment.connectionInfo !== null) {
      if (!isDeepStrictEqual(attachment.connector, connector)) throw otherConnector(attachment);
      return { attachment, operation: null };
    }
    const { accepts, during } = attachmentTransitions.connect;
    const claimed = await tx.attachments.updateIf(
      id,
      { attachStatus: accepts },
      { attachStatus: during, attachMode: attachment.attachMode ?? 'rw' },
    );
    if (claimed === null) throw notConnectable(attachment);
    return { attachment: claimed, operation: await recordConnect(tx, context, volume, id, connector, false) };
  });
  if (step.operation === null) return step.attachment;
  await performOperation(services, context, step.operation);
  return (await store.attachments.get(id)) ?? step.attachment;
}

/** The running operation, where it connects the very connector that is asked for. */
function sameConnector(attachment: Attachment, running: Operation, connector: Connector): Operation {
  if (!isDeepStrictEqual(running.arguments.connector, connector)) throw otherConnector(attachment);
  return running;
}

function otherConnector({ id }: Attachment) {
  return failure('InvalidInput', {
    reason: `attachment ${id} is connected with another connector. Delete it and create one for this connector.`,
  });
}

function notConnectable({ id, attachStatus }: Attachment) {
  const wanted = attachmentTransitions.connect.accepts.join(' or ');
  return failure('InvalidInput', { reason: `attachment ${id} is ${attachStatus}; to connect it must be ${wanted}.` });
}
