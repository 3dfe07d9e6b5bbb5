/**
 * A volume service that is not Ashlar's: it knows no records, takes what Cinder takes in Cinder's form (whatever does not
 * decode is kept as a fault), and does to the rows what Cinder's does, and no more.
 */
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { failure } from '../../src/model/errors.ts';
import { volumeAddresses } from '../../src/rpc/addresses.ts';
import type { RpcListener, RpcMessage, Transport } from '../../src/rpc/transport.ts';
import type { VersionedObject } from '../../src/rpcapi/objects/objects.ts';
import { decodeArguments } from '../../src/rpcapi/wire/receive.ts';
import { readCapturedMessages } from './cinder-fixtures.ts';

export interface CinderStandIn {
  /** Without those that ask for a report. */
  readonly received: readonly RpcMessage[];
  /** What did not decode, or lacked what Cinder needs. */
  readonly faults: readonly string[];
  /** The next request of that method fails. */
  failNext(method: string): void;
  reportCapabilities(): Promise<void>;
  close(): Promise<void>;
}

type Args = Readonly<Record<string, unknown>>;

const NOW = "date_trunc('milliseconds', clock_timestamp() at time zone 'UTC')";

export async function startCinderStandIn(options: {
  readonly knex: Knex;
  readonly transport: Transport;
  /** `node@lvm`: the one that the captured report speaks of. */
  readonly host: string;
  readonly versions?: { readonly rpc: string; readonly objects: string };
}): Promise<CinderStandIn> {
  const { knex, transport, host, versions = { rpc: '3.18', objects: '1.39' } } = options;
  const received: RpcMessage[] = [];
  const faults: string[] = [];
  const failing = new Set<string>();
  await addForeignService(knex, { host, binary: 'cinder-volume', ...versions });

  async function serve(message: RpcMessage): Promise<unknown> {
    if (message.method === 'publish_service_capabilities') return reportCapabilities();
    received.push(message);
    const decoded = decodeArguments('cinder-volume', message.method, message.args);
    if (!decoded.ok) {
      faults.push(`${message.method}: ${JSON.stringify(decoded.faults)}`);
      throw failure('InvalidArguments', { method: message.method, reason: JSON.stringify(decoded.faults) });
    }
    if (decoded.ignored.length > 0) faults.push(`${message.method}: ${decoded.ignored.join(', ')} not known`);
    const isFailing = failing.delete(message.method);
    return await work(knex, message.method, decoded.value, isFailing);
  }

  async function reportCapabilities(): Promise<void> {
    const [captured] = readCapturedMessages().filter(({ method }) => method === 'update_service_capabilities');
    const report = captured!.args as Record<string, unknown>;
    const args = { ...report, host, timestamp: new Date().toISOString().slice(0, -1) };
    const context = { requestId: 'req-stand-in', userId: null, projectId: null, isAdmin: true, roles: ['admin'] };
    await transport.fanout('cinder-scheduler', {
      method: 'update_service_capabilities',
      version: '3.3',
      args,
      context,
    });
  }

  const listeners: RpcListener[] = [];
  for (const address of volumeAddresses(host)) listeners.push(await transport.listen(address, serve));
  return {
    received,
    faults,
    failNext: (method) => void failing.add(method),
    reportCapabilities,
    async close() {
      for (const listener of listeners) await listener.close();
    },
  };
}

/** A row as Cinder writes it at its start; only a row, for what is to be there and to say nothing. */
export async function addForeignService(
  knex: Knex,
  row: { readonly host: string; readonly binary: string; readonly rpc: string; readonly objects: string },
): Promise<void> {
  await knex.raw(
    `insert into services (host, "binary", topic, report_count, disabled, availability_zone, rpc_current_version,
       object_current_version, frozen, uuid, deleted, created_at, updated_at)
     values (:host, :binary, :binary, 0, false, 'nova', :rpc, :objects, false, :uuid, false, ${NOW}, ${NOW})`,
    { ...row, uuid: randomUUID() },
  );
}

async function work(knex: Knex, method: string, args: Args, isFailing: boolean): Promise<unknown> {
  const idOf = (name: string) => (args[name] as VersionedObject<'Volume'>).fields.id as string;
  const volume = (id: string, values: object) => knex('volumes').where({ id }).update(values);
  const snapshot = (id: string, values: object) => knex('snapshots').where({ id }).update(values);
  const gone = { deleted: true, deleted_at: knex.raw(NOW) };
  const broken = () => failure('VolumeBackendAPIException', { reason: 'the stand-in was told to fail' });
  switch (method) {
    case 'create_volume':
      return volume(
        idOf('volume'),
        isFailing ? { status: 'error' } : { status: 'available', launched_at: knex.raw(NOW) },
      );
    case 'delete_volume':
      return volume(idOf('volume'), isFailing ? { status: 'error_deleting' } : { status: 'deleted', ...gone });
    case 'extend_volume':
      return volume(
        idOf('volume'),
        isFailing ? { status: 'error_extending' } : { status: 'available', size: args.new_size },
      );
    case 'create_snapshot':
      return snapshot(idOf('snapshot'), isFailing ? { status: 'error' } : { status: 'available', progress: '100%' });
    case 'delete_snapshot':
      return snapshot(idOf('snapshot'), isFailing ? { status: 'error_deleting' } : { status: 'deleted', ...gone });
    case 'attachment_update': {
      if (isFailing) throw broken();
      const id = args.attachment_id as string;
      const connector = args.connector as { readonly host?: string };
      const status = { attach_status: 'attaching', attached_host: connector.host ?? '', mountpoint: 'na' };
      await knex('volume_attachment')
        .where({ id })
        .update({ ...status, connector: JSON.stringify(connector) });
      await volume(idOf('vref'), { status: 'attaching', attach_status: 'attaching' });
      return { ...connection.data, driver_volume_type: 'iscsi', attachment_id: id };
    }
    case 'attachment_delete': {
      // Cinder reads the row, and refuses a status that it has no word for.
      const row = await knex('volume_attachment')
        .where({ id: args.attachment_id as string })
        .first();
      if (row === undefined || row.attach_status === 'detaching') throw failure('Internal', { reason: 'ValueError' });
      if (isFailing) throw broken();
      return null;
    }
    case 'initialize_connection':
      if (isFailing) throw broken();
      return connection;
    case 'attach_volume': {
      if (isFailing) throw broken();
      const id = randomUUID();
      const row = { volume_id: args.volume_id, instance_uuid: args.instance_uuid, attach_status: 'attached' };
      await knex('volume_attachment').insert({ id, ...row, deleted: false, created_at: knex.raw(NOW) });
      await volume(args.volume_id as string, { status: 'in-use', attach_status: 'attached' });
      return {
        'versioned_object.name': 'VolumeAttachment',
        'versioned_object.namespace': 'cinder',
        'versioned_object.version': '1.3',
        'versioned_object.data': { id, volume_id: args.volume_id, attach_status: 'attached' },
      };
    }
    case 'detach_volume':
      await knex('volume_attachment')
        .where({ volume_id: args.volume_id as string })
        .update({ attach_status: 'detached', ...gone });
      await volume(args.volume_id as string, { status: 'available', attach_status: 'detached' });
      return null;
    case 'get_capabilities':
      return { vendor_name: 'Open Source', volume_backend_name: 'lvm', storage_protocol: 'iSCSI', properties: {} };
    case 'freeze_host':
    case 'thaw_host':
      return true;
    default:
      return null;
  }
}

const connection = {
  driver_volume_type: 'iscsi',
  data: { target_iqn: 'iqn.2010-10.org.openstack:v', target_lun: 0, auth_password: 'stand-in-secret' },
} as const;
