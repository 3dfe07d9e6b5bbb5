import type { RequestContext } from '../model/context.ts';
import { INQUIRY_TOPIC, INQUIRY_VERSION, type InquiryRpc, type ServiceAnswer } from '../rpcapi/inquiry.ts';
import type { Transport } from './transport.ts';

export function createInquiryRpc(transport: Transport): InquiryRpc {
  const ask = (
    server: string,
    method: string,
    args: Readonly<Record<string, unknown>>,
    context: RequestContext,
    options: { readonly timeoutMs: number },
  ) => transport.call({ topic: INQUIRY_TOPIC, server }, { method, version: INQUIRY_VERSION, args, context }, options);
  return {
    activity: async (context, server, resourceIds, options) =>
      (await ask(server, 'activity', { resource_ids: resourceIds }, context, options)) as ServiceAnswer,
    stateReport: async (context, server, options) =>
      (await ask(server, 'state_report', {}, context, options)) as Record<string, unknown>,
    logLevel: async (context, server, level, options) =>
      String(await ask(server, 'log_level', { level }, context, options)),
  };
}
