/** What a route is: a value. src/api/server.ts mounts the roll-call of src/api/routes under /v3/{project_id}. */
import type { ZodType } from 'zod';
import type { Store } from '../db/store.ts';
import type { Logger } from '../log/logger.ts';
import type { RequestContext } from '../model/context.ts';
import type { InquiryRpc } from '../rpcapi/inquiry.ts';
import type { OperationRpc } from '../rpcapi/operations.ts';
import type { SchedulerRpc } from '../rpcapi/scheduler.ts';
import type { VolumeRpc } from '../rpcapi/volume.ts';
import type { ApiOptions } from './options.ts';

/** What the handlers need, passed in by the composition root. */
export interface ApiServices {
  readonly store: Store;
  readonly operations: OperationRpc;
  readonly scheduler: SchedulerRpc;
  readonly volume: VolumeRpc;
  readonly inquiry: InquiryRpc;
  readonly options: ApiOptions;
  readonly log: Logger;
}

/** `3.27` as its minor number: 27. */
export type Microversion = number;

export interface ApiRequest<Body = unknown, Query = unknown> {
  readonly services: ApiServices;
  readonly context: RequestContext;
  readonly version: Microversion;
  readonly params: Readonly<Record<string, string>>;
  /** `http://host:port/v3/<project>`, for links. */
  readonly baseUrl: string;
  /** Names in lower case. Credentials are not among them. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Body;
  readonly query: Query;
}

export interface ApiReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the project: `/volumes/:id`. */
  readonly path: string;
  /** First and last minor version that have it; outside of them the answer is 404. */
  readonly since?: Microversion;
  readonly until?: Microversion;
  /** For administrators only. */
  readonly admin?: boolean;
  readonly summary: string;
  /** A body that does not fit is a 400 that names each fault; the schema also feeds the OpenAPI document. */
  readonly body?: ZodType<Body>;
  readonly query?: ZodType<Query>;
  /** Where the body names an action: which there are, for the OpenAPI document. */
  readonly actions?: readonly Action[];
  handle(request: ApiRequest<Body, Query>): Promise<ApiReply>;
}

/** One entry of POST …/action: the body's only key names it. */
export interface Action<Body = unknown> {
  readonly name: string;
  readonly since?: Microversion;
  readonly admin?: boolean;
  readonly summary: string;
  readonly body: ZodType<Body>;
  handle(request: ApiRequest<Body>): Promise<ApiReply>;
}

/** Keeps the body's type tied to its schema. */
export function defineRoute<Body, Query>(route: Route<Body, Query>): Route {
  return route as Route;
}

export function defineAction<Body>(action: Action<Body>): Action {
  return action as Action;
}
