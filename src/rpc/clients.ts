/** The clients of src/rpcapi's contracts over a transport. */
import type { RequestContext } from '../model/context.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../rpcapi/requests.ts';
import type { PoolReport, SchedulerRpc } from '../rpcapi/scheduler.ts';
import type { VolumeRpc } from '../rpcapi/volume.ts';
import { ownerTarget } from './addresses.ts';
import type { Transport } from './transport.ts';

/** What is stated with a method: the version that its callers name (src/rpcapi/wire), which no peer is too old for. */
const ANY_PEER = '3.0';

export function createSchedulerRpc(transport: Transport, options: { readonly timeoutMs: number }): SchedulerRpc {
  return {
    async getPools(context, filters) {
      const message = {
        method: 'get_pools',
        version: ANY_PEER,
        args: { filters: filters ?? null },
        context,
      };
      return (await transport.call({ topic: SCHEDULER_TOPIC }, message, options)) as PoolReport[];
    },
  };
}

export function createVolumeRpc(transport: Transport, options: { readonly timeoutMs: number }): VolumeRpc {
  const call = (server: string, method: string, args: Record<string, unknown>, context: RequestContext) =>
    transport.call(ownerTarget(server, transport), { method, version: ANY_PEER, args, context }, options);
  return {
    getCapabilities: async (context, serviceHost) =>
      (await call(serviceHost, 'get_capabilities', { discover: false }, context)) as Record<string, unknown>,
    freezeHost: async (context, serviceHost) => (await call(serviceHost, 'freeze_host', {}, context)) as boolean,
    thawHost: async (context, serviceHost) => (await call(serviceHost, 'thaw_host', {}, context)) as boolean,
  };
}

/** Tells every scheduler what a backend can do and has left; `capabilities` in the wire's words. */
export function reportCapabilities(
  transport: Transport,
  context: RequestContext,
  report: {
    readonly host: string;
    readonly capabilities: Readonly<Record<string, unknown>>;
    readonly measuredAt: Date;
  },
): Promise<void> {
  const { host, capabilities, measuredAt } = report;
  // Microseconds and no zone: a Cinder's scheduler drops the report otherwise.
  const timestamp = `${measuredAt.toISOString().slice(0, -1)}000`;
  return transport.fanout(SCHEDULER_TOPIC, {
    method: 'update_service_capabilities',
    version: '3.3',
    args: { service_name: 'volume', host, capabilities, timestamp },
    context,
  });
}

/** Asks every volume service to report now: what a scheduler does when it starts. */
export function requestCapabilities(transport: Transport, context: RequestContext): Promise<void> {
  return transport.fanout(VOLUME_TOPIC, {
    method: 'publish_service_capabilities',
    version: ANY_PEER,
    args: {},
    context,
  });
}
