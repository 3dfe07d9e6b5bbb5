/** How `ashlar rpc` shows what goes by. Pure. */
import { redactFields } from '../../log/redact.ts';
import type { Passing } from '../../rpc/amqp/watch.ts';

/** One line of JSON without secrets: passwords, tokens and the like are masked wherever they stand. */
export function formatPassing(passing: Passing, at: Date): string {
  const { exchange, key } = passing;
  const way = { at: at.toISOString(), to: key ?? `${exchange} (to all)` };
  if (passing.kind === 'unreadable') {
    return JSON.stringify(
      redactFields({ ...way, unreadable: passing.malformed.reason, id: passing.malformed.uniqueId }),
    );
  }
  const { method, version, namespace, args, uniqueId, operationId, reply, context } = passing.request;
  return JSON.stringify(
    redactFields({
      ...way,
      kind: key === null ? 'fanout' : reply === null ? 'cast' : 'call',
      method,
      version,
      ...(namespace === null ? {} : { namespace }),
      id: uniqueId,
      ...(operationId === null ? {} : { operation: operationId }),
      request_id: context.request_id ?? null,
      user: context.user_id ?? null,
      project: context.project_id ?? null,
      args,
    }),
  );
}

/** A reply as JSON; masked unless `showSecrets`. */
export function formatReply(result: unknown, { showSecrets }: { readonly showSecrets: boolean }): string {
  const shown = showSecrets ? result : redactFields({ result }).result;
  return JSON.stringify(shown ?? null, null, 2);
}
