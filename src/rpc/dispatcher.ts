import type { ZodType } from 'zod';
import { z } from 'zod';
import type { RequestContext } from '../model/context.ts';
import { failure } from '../model/errors.ts';
import type { RpcMessage } from './transport.ts';

/** One row of a method table: the arguments are checked before `handle` sees them. */
export interface RpcMethod<Args = unknown> {
  readonly args: ZodType<Args>;
  handle(args: Args, context: RequestContext): Promise<unknown>;
}

export function defineMethod<Args>(method: RpcMethod<Args>): RpcMethod {
  return method as RpcMethod;
}

/** Makes a handler of a method table. Unknown methods and arguments that do not fit are answered as failures. */
export function createDispatcher(
  methods: Readonly<Record<string, RpcMethod>>,
): (message: RpcMessage) => Promise<unknown> {
  return async ({ method, args, context }) => {
    const entry = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (entry === undefined) throw failure('InvalidInput', { reason: `there is no method ${method} here` });
    const parsed = entry.args.safeParse(args);
    if (!parsed.success) {
      throw failure('InvalidInput', { reason: `arguments of ${method}: ${z.prettifyError(parsed.error)}` });
    }
    return await entry.handle(parsed.data, context);
  };
}
