import { type Command, Option } from 'commander';
import { type CliIo, print } from '../../io.ts';
import { iscsiUrl } from '../../iscsi-url.ts';
import { type OutputOptions, printRecord, withOutput } from '../../output.ts';
import { type AttachmentJson, FIELDS } from '../../resources.ts';

export interface AttachmentOutputOptions extends OutputOptions {
  readonly url?: true;
  readonly showSecrets?: true;
}

/** Adds -f, -c, --url and --show-secrets. */
export function withAttachmentOutput(command: Command): Command {
  return withOutput(command)
    .addOption(
      new Option('--url', 'print only iscsi://USER%PASSWORD@HOST:PORT/IQN/LUN, as qemu and libiscsi take it').conflicts(
        ['format', 'column'],
      ),
    )
    .option('--show-secrets', 'show the CHAP password in a table too');
}

/**
 * Prints an attachment. A table is for eyes, and eyes look over shoulders: it shows passwords masked unless asked. JSON,
 * value and URL are for programs, which need them.
 */
export async function printAttachment(
  io: CliIo,
  options: AttachmentOutputOptions,
  attachment: AttachmentJson,
): Promise<void> {
  if (options.url) return print(io, `${iscsiUrl(attachment.connection_info ?? {})}\n`);
  const isMasked = options.format === 'table' && !options.showSecrets;
  await printRecord(io, options, isMasked ? maskSecrets(attachment) : attachment, FIELDS.attachment);
}

function maskSecrets(attachment: AttachmentJson): AttachmentJson {
  if (!attachment.connection_info) return attachment;
  const masked = Object.entries(attachment.connection_info).map(([key, value]) => [
    key,
    /password|secret/i.test(key) && value !== null ? '***' : value,
  ]);
  return { ...attachment, connection_info: Object.fromEntries(masked) };
}
