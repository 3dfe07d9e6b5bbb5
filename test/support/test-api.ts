/** A REST API in this process, on a store that the test brings. Two kinds of callers: `admin`, and `member` without rights. */
import type { FastifyInstance } from 'fastify';
import type { AuthStrategy } from '../../src/api/auth.ts';
import { type ApiOptions, apiOptions } from '../../src/api/options.ts';
import type { ApiServices } from '../../src/api/route.ts';
import { createApiServer } from '../../src/api/server.ts';
import { createInquiryRpc } from '../../src/rpc/inquiry.ts';
import { createMemoryTransport } from '../../src/rpc/memory.ts';
import { type RecorderLog, recorderLog } from './recorder-log.ts';

export const PROJECT = '0123456789abcdef0123456789abcdef';

export interface TestApi {
  readonly server: FastifyInstance;
  readonly log: RecorderLog;
  /** Without a socket. `path` starts below the project: `/volumes`. The version is the newest unless said. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, as?: Caller): Promise<TestReply>;
  /** `http://127.0.0.1:port`, once it listens there. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface Caller {
  readonly version?: string;
  readonly token?: 'admin' | 'member';
  readonly project?: string;
}

export interface TestReply {
  readonly status: number;
  /** Undefined where the answer has no body. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON it expects
  readonly body: any;
}

export function openTestApi(
  services: Omit<ApiServices, 'options' | 'log' | 'inquiry'> & Partial<Pick<ApiServices, 'inquiry'>>,
  options: Partial<ApiOptions> = {},
): TestApi {
  const log = recorderLog();
  const defaults = Object.fromEntries(Object.entries(apiOptions).map(([name, { default: value }]) => [name, value]));
  const server = createApiServer(
    {
      inquiry: createInquiryRpc(createMemoryTransport()),
      ...services,
      options: { ...(defaults as ApiOptions), ...options },
      log,
    },
    { auth },
  );
  return {
    server,
    log,
    async call(method, path, body, { version = '3.70', token = 'admin', project = PROJECT } = {}) {
      const reply = await server.inject({
        method,
        url: `/v3/${project}${path}`,
        headers: {
          'x-auth-token': token,
          'openstack-api-version': `volume ${version}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      });
      return { status: reply.statusCode, body: reply.body === '' ? undefined : JSON.parse(reply.body) };
    },
    listen: () => server.listen({ host: '127.0.0.1', port: 0 }),
    close: () => server.close(),
  };
}

const auth: AuthStrategy = {
  name: 'test',
  loopbackOnly: true,
  async authenticate({ token, projectId }) {
    if (token !== 'admin' && token !== 'member') return null;
    const isAdmin = token === 'admin';
    return { userId: token, projectId: projectId ?? PROJECT, isAdmin, roles: [token] };
  },
};
