/** The client of both: a bare AMQP connection that speaks oslo's protocol, and a database connection that hears of ends. */
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import pg from 'pg';
import type { ConnectionSettings } from '../../src/db/connection.ts';
import { decodeReply, encodeRequest } from '../../src/rpc/envelope.ts';

export interface Client {
  readonly sql: pg.Client;
  call(service: string, method: string, args: Args): Promise<unknown>;
  cast(service: string, method: string, args: Args): void;
  /** Resolves when the volume has that status, told by the database at the commit. */
  becomes(volumeId: string, status: string): Promise<void>;
  close(): Promise<void>;
}

type Args = Readonly<Record<string, unknown>>;

const PROJECT = '0123456789abcdef0123456789abcdef';
const CONTEXT = {
  ...{ user_id: 'admin', project_id: PROJECT, is_admin: true, roles: ['admin'], read_deleted: 'no' },
  ...{ auth_token: null, service_catalog: [], timestamp: '2026-11-20T18:25:47.992813', remote_address: '127.0.0.1' },
};
const LIMIT_MS = 60_000;

/** An end is a status that the volume is left in. Costs every service the same: one more statement at each end. */
const TRIGGER = `
  create or replace function bench_told() returns trigger language plpgsql as $$
  begin
    perform pg_notify('bench', new.id || ' ' || coalesce(new.status, ''));
    return null;
  end $$;
  create or replace trigger bench_told after update of status on volumes for each row
    when (new.status in ('available', 'deleted', 'error', 'error_deleting')) execute function bench_told();`;

export async function openClient(url: string, connection: ConnectionSettings['connection']): Promise<Client> {
  const sql = new pg.Client(connection as pg.ClientConfig);
  await sql.connect();
  await sql.query(TRIGGER);
  await sql.query('listen bench');
  const ends = new Map<string, (status: string) => void>();
  sql.on('notification', ({ payload = '' }) => {
    const [id, status] = payload.split(' ');
    ends.get(id!)?.(status!);
  });

  const model = await connect(url.replace('rabbit:', 'amqp:'), { noDelay: true });
  const channel = await model.createChannel();
  const queue = `reply_${randomUUID().replaceAll('-', '')}`;
  await channel.assertQueue(queue, { autoDelete: true, durable: false });
  const replies = new Map<string, PromiseWithResolvers<unknown>>();
  await channel.consume(
    queue,
    (message) => {
      const decoded = decodeReply(message!.content);
      if (!decoded.ok || !decoded.value.ending) return;
      const { messageId, failure, result } = decoded.value;
      const waiting = replies.get(messageId);
      replies.delete(messageId);
      if (failure === null) waiting?.resolve(result);
      else waiting?.reject(new Error(failure));
    },
    { noAck: true },
  );

  const send = (service: string, method: string, args: Args, messageId: string | null) => {
    const content = encodeRequest({
      ...{ method, version: '3.0', namespace: null, args, operationId: null },
      uniqueId: randomUUID().replaceAll('-', ''),
      reply: messageId === null ? null : { messageId, queue, monitorSeconds: null },
      context: { ...CONTEXT, request_id: `req-${randomUUID()}` },
    });
    const [host] = service.split('@');
    channel.publish('openstack', `cinder-volume.${service}.${host}`, content, {
      ...{ contentType: 'application/json', contentEncoding: 'utf-8', deliveryMode: 2, priority: 0 },
    });
  };
  return {
    sql,
    cast: (service, method, args) => send(service, method, args, null),
    async call(service, method, args) {
      const messageId = randomUUID().replaceAll('-', '');
      const waiting = Promise.withResolvers<unknown>();
      replies.set(messageId, waiting);
      send(service, method, args, messageId);
      return await inTime(waiting.promise, `${service} ${method}`);
    },
    async becomes(volumeId, wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      ends.set(volumeId, (status) => {
        if (status === wanted) resolve();
        else reject(new Error(`volume ${volumeId} became ${status}, not ${wanted}`));
      });
      await inTime(promise, `${volumeId} ${wanted}`);
      ends.delete(volumeId);
    },
    async close() {
      await model.close();
      await sql.end();
    },
  };
}

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}: nothing within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
