/** Tells the owners of operations what to do: Ashlar's own services by the record's id, anybody else in full. */
import type { Store } from '../../db/store.ts';
import type { Logger } from '../../log/logger.ts';
import type { RequestContext } from '../../model/context.ts';
import { isFailure, messageOf } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import { ownerTarget } from '../../rpc/addresses.ts';
import type { RpcMessage, Transport } from '../../rpc/transport.ts';
import type { OperationRpc } from '../../rpcapi/operations.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { ownAnswer } from '../../rpcapi/wire/answers.ts';
import { operationMessage } from '../../rpcapi/wire/send.ts';
import { completeCall, failCall, failCast } from './calls.ts';
import { createPins } from './pins.ts';
import { loadWireRows } from './rows.ts';

/** What is stated to Ashlar's own services in the same process. */
const OWN_VERSION = '3.0';

/**
 * Over a network the arguments are what a Cinder expects, so that whoever serves the queue can do the work; within a
 * process there are none. The record's id goes along in both.
 */
export function createOperationRpc(parts: {
  readonly transport: Transport;
  readonly store: Store;
  readonly log: Logger;
}): OperationRpc {
  const { transport, store, log } = parts;
  const pins = createPins(store);

  async function messageFor(operation: Operation, context: RequestContext): Promise<RpcMessage> {
    const { id: operationId, method } = operation;
    if (transport.reach === 'process') return { method, version: OWN_VERSION, args: {}, context, operationId };
    const topic = operation.owner === SCHEDULER_TOPIC ? SCHEDULER_TOPIC : VOLUME_TOPIC;
    const [rows, pinned] = await Promise.all([loadWireRows(store, operation), pins.of(topic)]);
    const { version, args } = operationMessage(operation, rows, pinned);
    return { method, version, args, context, operationId };
  }

  async function call(operation: Operation, context: RequestContext, options: { readonly timeoutMs: number }) {
    try {
      const message = await messageFor(operation, context);
      return ownAnswer(
        operation.method,
        await transport.call(ownerTarget(operation.owner, transport), message, options),
      );
    } catch (error) {
      if (isFailure(error, 'UnsupportedVersion', 'NoSuchMethod', 'InvalidArguments', 'NotImplemented')) pins.forget();
      throw error;
    }
  }

  /** True where no service of ours would find the record. */
  async function isForeign({ owner }: Operation): Promise<boolean> {
    if (transport.reach === 'process') return false;
    if (owner !== SCHEDULER_TOPIC) {
      return (await store.services.listForeign({ host: owner, binary: VOLUME_TOPIC })).length > 0;
    }
    const binary = SCHEDULER_TOPIC;
    const [all, foreign] = await Promise.all([store.services.list({ binary }), store.services.listForeign({ binary })]);
    return foreign.length > 0 && foreign.length === all.length;
  }

  /** Never throws. */
  async function notSent(operation: Operation, error: unknown): Promise<void> {
    const fields = { operation: operation.id, owner: operation.owner, reason: messageOf(error) };
    try {
      if (!(await isForeign(operation))) {
        return log.warn(fields, 'wake-up not sent; the owner finds the operation in the record');
      }
      await failCast(store, operation, error);
      log.error(fields, 'request not sent to a service that has no record of it; it is ended as failed');
    } catch (second) {
      log.error({ ...fields, also: messageOf(second) }, 'request not sent');
    }
  }

  async function noteFailure(operation: Operation, error: unknown): Promise<void> {
    await failCall(store, operation, error).catch((second: unknown) => {
      log.warn({ operation: operation.id, reason: messageOf(second) }, 'the failure is not in the record yet');
    });
  }

  return {
    async wake(operation, context) {
      try {
        await transport.cast(ownerTarget(operation.owner, transport), await messageFor(operation, context));
      } catch (error) {
        await notSent(operation, error);
      }
    },
    async perform(operation, context, options) {
      // Beside the call; without an answer to it the record is left to the settlement.
      const foreign = isForeign(operation).catch(() => false);
      let answer: unknown;
      try {
        answer = await call(operation, context, options);
      } catch (error) {
        if (await foreign) await noteFailure(operation, error);
        throw error;
      }
      if (await foreign) await completeCall(store, operation, answer);
      return answer;
    },
  };
}
