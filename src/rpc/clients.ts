/** The clients of src/rpcapi's contracts over a transport. */
import type { Logger } from '../log/logger.ts';
import type { RequestContext } from '../model/context.ts';
import { messageOf } from '../model/errors.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationRpc } from '../rpcapi/operations.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../rpcapi/requests.ts';
import type { PoolReport, SchedulerRpc } from '../rpcapi/scheduler.ts';
import type { VolumeRpc } from '../rpcapi/volume.ts';
import type { RpcMessage, RpcTarget, Transport } from './transport.ts';

/** The version that peers pin (services.rpc_current_version). */
export const VOLUME_RPC_VERSION = '3.18';
export const SCHEDULER_RPC_VERSION = '3.12';

export function createOperationRpc(transport: Transport, log: Logger): OperationRpc {
  return {
    async wake(operation, context) {
      try {
        await transport.cast(ownerTarget(operation.owner), wakeUp(operation, context));
      } catch (error) {
        log.warn(
          { operation: operation.id, owner: operation.owner, reason: messageOf(error) },
          'wake-up not sent; the owner finds the operation in the record',
        );
      }
    },
    perform: (operation, context, options) =>
      transport.call(ownerTarget(operation.owner), wakeUp(operation, context), options),
  };
}

export function createSchedulerRpc(transport: Transport, options: { readonly timeoutMs: number }): SchedulerRpc {
  return {
    async getPools(context, filters) {
      const message = {
        method: 'get_pools',
        version: SCHEDULER_RPC_VERSION,
        args: { filters: filters ?? null },
        context,
      };
      return (await transport.call({ topic: SCHEDULER_TOPIC }, message, options)) as PoolReport[];
    },
  };
}

export function createVolumeRpc(transport: Transport, options: { readonly timeoutMs: number }): VolumeRpc {
  const call = (server: string, method: string, args: Record<string, unknown>, context: RequestContext) =>
    transport.call({ topic: VOLUME_TOPIC, server }, { method, version: VOLUME_RPC_VERSION, args, context }, options);
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
    readonly timestamp: string;
  },
): Promise<void> {
  return transport.fanout(SCHEDULER_TOPIC, {
    method: 'update_service_capabilities',
    version: SCHEDULER_RPC_VERSION,
    args: { service_name: 'volume', host: report.host, capabilities: report.capabilities, timestamp: report.timestamp },
    context,
  });
}

/** Asks every volume service to report now: what a scheduler does when it starts. */
export function requestCapabilities(transport: Transport, context: RequestContext): Promise<void> {
  return transport.fanout(VOLUME_TOPIC, {
    method: 'publish_service_capabilities',
    version: VOLUME_RPC_VERSION,
    args: {},
    context,
  });
}

function ownerTarget(owner: string): RpcTarget {
  return owner === SCHEDULER_TOPIC ? { topic: SCHEDULER_TOPIC } : { topic: VOLUME_TOPIC, server: owner };
}

function wakeUp(operation: Operation, context: RequestContext): RpcMessage {
  return { method: operation.method, version: '3.0', args: { operation_id: operation.id }, context };
}
