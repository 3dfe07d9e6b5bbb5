/** /metrics on a port of its own, for who has the token. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import type { Logger } from '../log/logger.ts';
import { failure, messageOf } from '../model/errors.ts';
import type { Metrics } from './metrics.ts';
import type { MetricsOptions } from './metrics-options.ts';

export interface MetricsServer {
  /** `http://127.0.0.1:9776/metrics`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Ports that are tried, from metrics_port on. */
const TRIES = 32;
const TOKEN_BYTES = 24;

/**
 * Starts metrics and serves them, where metrics_port asks for them; null where it does not. A port that is taken is no
 * failure (another process of ours has it); none that is free is said in the log, and the service runs without.
 */
export async function startMetrics(settings: {
  readonly options: MetricsOptions;
  readonly version: string;
  readonly role: string;
  readonly log: Logger;
}): Promise<MetricsServer | null> {
  const { options, log } = settings;
  if (options.metrics_port === 0) return null;
  try {
    const token = await readOrMakeToken(options.metrics_token_file);
    const { createMetrics } = await import('./metrics.ts');
    const metrics = createMetrics(settings);
    const served = await serveMetrics({ metrics, token, host: options.metrics_listen, port: options.metrics_port });
    log.info({ url: served.url, token_file: options.metrics_token_file }, 'metrics are served');
    return served;
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'no metrics are served');
    return null;
  }
}

export async function serveMetrics(settings: {
  readonly metrics: Metrics;
  readonly token: string;
  readonly host: string;
  /** The first to try; 0: any. */
  readonly port: number;
}): Promise<MetricsServer> {
  const { metrics, token, host, port } = settings;
  const server = createServer((request, response) => void answer(metrics, token, request, response));
  server.requestTimeout = 10_000;
  server.maxConnections = 16;
  server.unref();
  const url = await listen(server, host, port);
  return {
    url,
    async stop() {
      metrics.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(server: Server, host: string, first: number): Promise<string> {
  for (let port = first; ; port += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      const { port: bound } = server.address() as AddressInfo;
      return `http://${isIPv6(host) ? `[${host}]` : host}:${bound}/metrics`;
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || port - first + 1 >= TRIES || port >= 65_535) {
        const what = `Metrics on ${host}, ports ${first} to ${port},`;
        throw failure('ConnectionFailed', { what, reason: `${messageOf(error)}. Set metrics_port to another` }, error);
      }
    }
  }
}

async function answer(
  metrics: Metrics,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const send = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
    response.end(request.method === 'HEAD' ? '' : body);
  };
  try {
    if (!isAllowed(request.headers.authorization, token)) {
      return send(401, 'Send Authorization: Bearer with the token of metrics_token_file.\n', {
        'www-authenticate': 'Bearer',
      });
    }
    if (request.url?.split('?', 1)[0] !== '/metrics') return send(404, 'There is /metrics here.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'GET it.\n', { allow: 'GET, HEAD' });
    send(200, await metrics.render(), { 'content-type': metrics.contentType });
  } catch (error) {
    send(500, `${messageOf(error)}\n`);
  }
}

/** Digests have equal lengths, so the comparison tells nothing of the token. */
function isAllowed(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Of several processes that make it at once, one does; the others read what it made. */
export async function readOrMakeToken(file: string): Promise<string> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      await handle.writeFile(`${token}\n`);
      return token;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw failure('ConnectionFailed', { what: `Token file ${file}`, reason: `${messageOf(error)}.` }, error);
    }
  }
  // Its maker may be about to write it.
  for (let tries = 0; tries < 20; tries += 1) {
    const token = (await readFile(file, 'utf8')).trim();
    if (token !== '') return token;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw failure('ConnectionFailed', {
    what: `Token file ${file}`,
    reason: 'it is empty. Write a token into it, or remove it.',
  });
}
