/** A connection to one of the brokers that comes back by itself, as often as it takes. */
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import { backoffMs } from '../../lib/backoff.ts';
import { contributeStatus } from '../../lib/status.ts';
import { settledWithin, sleep, withTimeout } from '../../lib/timers.ts';
import type { Logger } from '../../log/logger.ts';
import { failure, messageOf } from '../../model/errors.ts';
import type { BrokerHost } from '../transport-url.ts';
import { type AmqpSettings, heartbeatSeconds } from './settings.ts';

export interface AmqpConnection {
  /** The connection that stands, or the next one. Rejects only after close. */
  model(): Promise<ChannelModel>;
  /** Why there is none, where there is none. */
  lastError(): Error | null;
  /** True once it has been closed. */
  isClosed(): boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A broker that restarts is away for seconds: so often it is asked again soon, then more and more rarely. */
const QUICK_ATTEMPTS = 30;
const QUICK = { baseMs: 100, maxMs: 1_000 };

/** @param name what the broker's administrator sees, `ashlar:<pid>:<what for>`. */
export function keepConnection(settings: AmqpSettings, name: string, log: Logger): AmqpConnection {
  const closing = new AbortController();
  let next = Promise.withResolvers<ChannelModel>();
  next.promise.catch(() => undefined);
  let current: ChannelModel | null = null;
  let error: Error | null = null;

  async function keep(): Promise<void> {
    for (let attempt = 0; !closing.signal.aborted; attempt += 1) {
      const broker = settings.brokers[attempt % settings.brokers.length]!;
      try {
        const model = await open(settings, broker, name);
        if (closing.signal.aborted) return await end(model);
        if (error !== null) log.info({ broker: placeOf(broker), connection: name }, 'connected to the broker again');
        [error, current] = [null, model];
        const closed = untilClosed(model, log);
        next.resolve(model);
        error = await closed;
        current = null;
        next = Promise.withResolvers();
        next.promise.catch(() => undefined);
        if (!closing.signal.aborted) report(broker, error, 'the connection to the broker is lost; trying again');
        attempt = 0;
      } catch (failed) {
        error = failed instanceof Error ? failed : new Error(messageOf(failed));
        report(broker, error, 'the broker cannot be reached; trying again');
      }
      // Every broker is asked once before the first pause.
      if ((attempt + 1) % settings.brokers.length === 0) await sleep(pauseMs(attempt), closing.signal);
    }
  }

  function pauseMs(attempt: number): number {
    const round = Math.floor(attempt / settings.brokers.length) + 1;
    if (round <= QUICK_ATTEMPTS) return backoffMs(round, QUICK);
    return backoffMs(round - QUICK_ATTEMPTS, { baseMs: 1_000, maxMs: settings.rabbit.rabbit_interval_max * 1000 });
  }

  function report(broker: BrokerHost, { message }: Error, sentence: string): void {
    log.warn({ broker: placeOf(broker), connection: name, reason: message }, sentence);
  }

  const forget = contributeStatus({
    section: 'connections',
    name: `broker ${settings.brokers.map(placeOf).join(', ')} (${name})`,
    read: () =>
      current !== null ? { state: 'up' } : { state: 'away', reason: error?.message ?? 'it has not answered yet' },
  });
  const kept = keep();
  return {
    model: () => next.promise,
    lastError: () => error,
    isClosed: () => closing.signal.aborted,
    async close() {
      closing.abort();
      forget();
      if (current !== null) await end(current);
      next.reject(failure('ConnectionFailed', { what: 'The message broker', reason: 'the transport is closed' }));
      await settledWithin(kept, CLOSE_TIMEOUT_MS);
    },
  };
}

/** Where it is, for people: nobody's name, nobody's password. */
export function placeOf({ host, port }: BrokerHost): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}

async function open(settings: AmqpSettings, broker: BrokerHost, name: string): Promise<ChannelModel> {
  const { rabbit } = settings;
  const opened = connect(
    {
      protocol: rabbit.ssl ? 'amqps' : 'amqp',
      hostname: broker.host,
      ...(broker.port === null ? {} : { port: broker.port }),
      username: broker.user,
      password: broker.password,
      // The library takes it out of its escapes.
      vhost: encodeURIComponent(settings.vhost),
      heartbeat: heartbeatSeconds(rabbit.heartbeat_timeout_threshold),
    },
    {
      // Without it, every small message waits for the one before to be acknowledged by TCP.
      noDelay: true,
      keepAlive: true,
      timeout: CONNECT_TIMEOUT_MS,
      clientProperties: { connection_name: name },
      ...(rabbit.ssl ? await tlsOptions(settings) : {}),
    },
  );
  try {
    return await withTimeout(opened, CONNECT_TIMEOUT_MS * 2, () => new Error('it does not answer'));
  } catch (error) {
    opened.then(end, () => undefined);
    throw error;
  }
}

/** Read for every connection: certificates are renewed while we run. */
async function tlsOptions({ rabbit: { ssl_ca_file, ssl_cert_file, ssl_key_file } }: AmqpSettings) {
  const read = (path: string | null) => (path === null ? undefined : readFile(path));
  const [ca, cert, key] = await Promise.all([read(ssl_ca_file), read(ssl_cert_file), read(ssl_key_file)]);
  return { ca, cert, key, rejectUnauthorized: true };
}

/** Why it ended. */
function untilClosed(model: ChannelModel, log: Logger): Promise<Error> {
  return new Promise((resolve) => {
    let why: Error | null = null;
    model.on('error', (error) => {
      why = error;
    });
    model.on('blocked', (reason) => log.warn({ reason }, 'the broker takes no messages for now; they wait'));
    model.on('unblocked', () => log.info({}, 'the broker takes messages again'));
    model.on('close', (error) => {
      // A peer that is gone would hold the half-closed socket for many minutes.
      streamOf(model)?.destroy();
      resolve(why ?? error ?? new Error('closed'));
    });
  });
}

/** It may be closed already, and its peer may not answer. */
async function end(model: ChannelModel): Promise<void> {
  model.on('error', () => undefined);
  await settledWithin((async () => model.close())(), CLOSE_TIMEOUT_MS);
  streamOf(model)?.destroy();
}

function streamOf(model: ChannelModel): Duplex | undefined {
  return (model.connection as { readonly stream?: Duplex }).stream;
}
