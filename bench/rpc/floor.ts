/**
 * The least that a volume service has to do, as a process of its own: takes a message, answers it, and for a volume
 * writes its end in one statement. No record, no checks, no recovery. argv: broker, connection as JSON, service.
 */
import { connect } from 'amqplib';
import pg from 'pg';
import { decodeRequest, encodeReply } from '../../src/rpc/envelope.ts';

const [url, connection, service] = process.argv.slice(2) as [string, string, string];
const pool = new pg.Pool({ ...JSON.parse(connection), max: 5 });
const model = await connect(url.replace('rabbit:', 'amqp:'), { noDelay: true });
const channel = await model.createChannel();
await channel.prefetch(64);
const queue = `cinder-volume.${service}.${service.split('@')[0]}`;
await channel.assertExchange('openstack', 'topic', { durable: false });
await channel.assertQueue(queue, { durable: false });
await channel.bindQueue(queue, 'openstack', queue);

const ENDS: Readonly<Record<string, string>> = {
  create_volume: "update volumes set status = 'available', launched_at = now(), updated_at = now() where id = $1",
  delete_volume: "update volumes set status = 'deleted', deleted = true, deleted_at = now() where id = $1",
  initialize_connection: 'select * from volumes where id = $1',
};

await channel.consume(queue, async (message) => {
  const decoded = decodeRequest(message!.content);
  if (!decoded.ok) throw new Error(decoded.malformed.reason);
  const { method, args, reply } = decoded.value;
  const volume = args.volume as { readonly 'versioned_object.data': { readonly id: string } } | undefined;
  const end = ENDS[method];
  if (end !== undefined) await pool.query({ name: method, text: end, values: [volume!['versioned_object.data'].id] });
  if (reply !== null) {
    const result = method === 'get_capabilities' ? CAPABILITIES : CONNECTION;
    const answer = { messageId: reply.messageId, uniqueId: reply.messageId, result, failure: null, ending: true };
    channel.sendToQueue(reply.queue, encodeReply(answer));
  }
  channel.ack(message!);
});
process.send!('up');
process.on('disconnect', () => process.exit(0));

const CAPABILITIES = { volume_backend_name: 'floor', vendor_name: 'none', driver_version: '1', pools: [{}] };
const CONNECTION = { driver_volume_type: 'iscsi', data: { target_portal: '127.0.0.1:3260', target_lun: 1 } };
