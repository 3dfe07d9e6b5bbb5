import { Command, Option } from 'commander';
import { type WaitOptions, withWait } from '../../arguments.ts';
import { type Client, path } from '../../client.ts';
import { CliFailure, EXIT } from '../../exit-codes.ts';
import { isErrorStatus } from '../../fault.ts';
import type { CliIo } from '../../io.ts';
import { findVolume, orNull } from '../../names.ts';
import { checkFields } from '../../output.ts';
import { type AttachmentJson, FIELDS, type VolumeJson } from '../../resources.ts';
import { openSession } from '../../session.ts';
import { waitWhile } from '../../wait.ts';
import { failedWork, labelOf } from '../settle.ts';
import { type ConnectorOptions, readConnector } from './connector.ts';
import { type AttachmentOutputOptions, printAttachment, withAttachmentOutput } from './print-attachment.ts';

interface Options extends AttachmentOutputOptions, WaitOptions, ConnectorOptions {
  readonly mode: 'rw' | 'ro';
  /** Undefined where nothing was said: then a URL, which is made to be used at once, completes. */
  readonly complete?: boolean;
}

/** `attachment create`: reserves the volume, lets the initiator in, prints how to connect. */
export function createAttachment(io: CliIo): Command {
  const command = new Command('create')
    .description('let an initiator use a volume; prints how to connect')
    .argument('<volume>', 'name or id')
    .option('--initiator <iqn>', "the initiator's name")
    .option('--host <name>', "the initiator's host; this one unless given")
    .option('--ip <address>', "the initiator's address")
    .addOption(new Option('--mode <mode>', 'read and write, or read only').choices(['rw', 'ro']).default('rw'))
    .option('--multipath', 'the initiator wants all paths')
    .option('--connector-json <file>', 'the connector as JSON, in the keys of os-brick; - is stdin')
    .option('--complete', 'mark the attachment as in use at once; --url does so by itself')
    .option('--no-complete', 'leave it to `attachment complete`, after the initiator has logged in');
  return withAttachmentOutput(withWait(command)).action(async (name: string, options: Options, self: Command) => {
    checkFields(options, FIELDS.attachment);
    const connector = await readConnector(io, options);
    const client = await openSession(io, self);
    const volume = await findVolume(client, name);
    const wanted = { volume_uuid: volume.id, connector, mode: options.mode };
    const attachment = await client.create<AttachmentJson>('/attachments', 'attachment', wanted);
    const connected = options.wait ? await waitForConnection(io, client, volume, attachment, options) : attachment;
    const complete = options.complete ?? options.url === true;
    if (complete) await client.post(path`/attachments/${attachment.id}/action`, { 'os-complete': {} });
    await printAttachment(io, options, complete ? await readAgain(client, connected) : connected);
  });
}

/** The API answers when the connection is made; one that answers earlier is waited for. */
async function waitForConnection(
  io: CliIo,
  client: Client,
  volume: VolumeJson,
  made: AttachmentJson,
  options: Options,
): Promise<AttachmentJson> {
  const isConnecting = ({ status, connection_info }: AttachmentJson) =>
    !isErrorStatus(status) && Object.keys(connection_info ?? {}).length === 0;
  const ended = isConnecting(made)
    ? await waitWhile(io, {
        what: `attachment of ${labelOf('volume', volume)}`,
        look: `ashlar attachment show ${made.id}`,
        limitMs: options.timeout * 1000,
        read: () => orNull(readAttachment(client, made.id)),
        statusOf: ({ status }) => status,
        isAtWork: (attachment) => attachment !== null && isConnecting(attachment),
      })
    : made;
  if (ended === null) {
    throw await failedWork(client, volume.id, `${labelOf('volume', volume)} was not attached`);
  }
  if (!isErrorStatus(ended.status)) return ended;
  const failed = await failedWork(client, volume.id, `the attachment of ${labelOf('volume', volume)} failed`);
  throw new CliFailure(EXIT.failed, `${failed.message} Remove it with: ashlar attachment delete ${ended.id}`);
}

function readAttachment(client: Client, id: string): Promise<AttachmentJson> {
  return client.get<AttachmentJson>(path`/attachments/${id}`, 'attachment');
}

/** With what the answer to the creation had and a later look may lack. */
async function readAgain(client: Client, before: AttachmentJson): Promise<AttachmentJson> {
  const now = await readAttachment(client, before.id);
  const hasConnection = Object.keys(now.connection_info ?? {}).length > 0;
  return hasConnection ? now : { ...now, connection_info: before.connection_info ?? null };
}
