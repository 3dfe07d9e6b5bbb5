/** Answers what other services of Ashlar, the API first of all, ask about a service and its process. */
import { z } from 'zod';
import { flights } from '../lib/flight.ts';
import { contributeStatus, statusSources } from '../lib/status.ts';
import { logLevels } from '../log/create-logger.ts';
import { createDispatcher, defineMethod } from '../rpc/dispatcher.ts';
import type { Transport } from '../rpc/transport.ts';
import { INQUIRY_TOPIC, inquiryServer, type ServiceAnswer, type ServiceStatus } from '../rpcapi/inquiry.ts';
import { reportFlight } from './flight-report.ts';
import { changeLogLevel, collectStateReport, readEventLoop } from './report.ts';

/** Puts the service into the report of its process, and answers for it until it is stopped. */
export async function answerInquiries(options: {
  readonly transport: Transport;
  readonly binary: string;
  readonly host: string;
  /** What stands beside binary and host. */
  readonly status: () => Omit<ServiceStatus, 'binary' | 'host'>;
}): Promise<{ stop(): Promise<void> }> {
  const { transport, binary, host } = options;
  const server = inquiryServer(binary, host);
  const forget = contributeStatus({
    section: 'services',
    name: server,
    read: () => ({ binary, host, ...options.status() }) satisfies ServiceStatus,
  });
  const methods = {
    activity: defineMethod({
      args: z.object({ resource_ids: z.array(z.string()).max(1000) }),
      handle: async ({ resource_ids: ids }) => localActivity(server, ids),
    }),
    state_report: defineMethod({ args: z.object({}), handle: () => collectStateReport() }),
    log_level: defineMethod({
      args: z.object({ level: z.enum(logLevels).nullable() }),
      handle: async ({ level }) => changeLogLevel(level),
    }),
  };
  const listener = await transport.listen({ topic: INQUIRY_TOPIC, server }, createDispatcher(methods));
  return {
    async stop() {
      forget();
      await listener.close();
    },
  };
}

/** The same without a message, for a service of this process; null where it is none. */
export function localActivity(server: string, resourceIds: readonly string[]): ServiceAnswer | null {
  const source = statusSources('services').find(({ name }) => name === server);
  if (source === undefined) return null;
  const status = source.read() as ServiceStatus;
  const wanted = new Set(resourceIds);
  const owner = status.binary === 'cinder-volume' ? status.host : status.binary;
  return {
    pid: process.pid,
    status,
    event_loop: readEventLoop(),
    brokers_away: brokersAway(),
    operations: flights()
      .filter(({ service, resourceId }) => service === owner && wanted.has(resourceId ?? ''))
      .map((flight) => reportFlight(flight)),
  };
}

/** `broker host:5672: connect ECONNREFUSED`, of this process; each broker once. */
export function brokersAway(): readonly string[] {
  const away = statusSources('connections').flatMap(({ name, read }) => {
    if (!name.startsWith('broker ')) return [];
    const { state, reason } = read() as { readonly state: string; readonly reason?: string };
    return state === 'away' ? [`${name.replace(/ \(.*/, '')}: ${reason ?? 'no reason known'}`] : [];
  });
  return [...new Set(away)];
}
