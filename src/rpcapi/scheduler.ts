import type { RequestContext } from '../model/context.ts';

/** One pool as a scheduler knows it: `name` is `host@backend#pool`, capabilities in the wire's words. */
export interface PoolReport {
  readonly name: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** What the API asks of a scheduler. */
export interface SchedulerRpc {
  getPools(context: RequestContext, filters?: Readonly<Record<string, unknown>>): Promise<readonly PoolReport[]>;
}
