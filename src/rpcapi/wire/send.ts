/** An operation that a peer has to perform -> the message that asks for it. */
import { failure } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { encodeValue } from '../objects/encode.ts';
import { backport, type ObjectHistory } from '../objects/history.ts';
import { plainCopy } from '../objects/plain-copy.ts';
import {
  type OperationMethod,
  type RequestArguments,
  requestArguments,
  SCHEDULER_TOPIC,
  VOLUME_TOPIC,
} from '../requests.ts';
import { argumentsFor, versionFor } from './method.ts';
import { snapshotToObject, type VolumeRows, volumeToObject, volumeTypeToObject } from './models.ts';
import { findMethod, type WireTopic } from './receive.ts';
import { filterProperties, requestSpec, retryOf } from './request-spec.ts';

/** The volume that the operation is about, of attachments and snapshots too; the snapshot where it is about one. */
export interface WireRows extends VolumeRows {
  readonly snapshot: Snapshot | null;
}

/** What the oldest of the peers understands: see pinRpcVersion and pinObjectHistory. */
export interface WirePins {
  readonly rpcVersion: string;
  readonly objectHistory: ObjectHistory;
}

export interface WireMessage {
  readonly topic: WireTopic;
  /** The service `host@backend` that it goes to; null for any scheduler. */
  readonly server: string | null;
  /** A call has an answer and ends in time; a cast waits in its queue. */
  readonly kind: 'call' | 'cast';
  readonly method: OperationMethod;
  readonly version: string;
  /** Encoded: plain JSON. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** Throws NotImplemented for a method that the peer does not have, in its version or at all. */
export function operationMessage(operation: Operation, rows: WireRows, pins: WirePins): WireMessage {
  const topic = operation.owner === SCHEDULER_TOPIC ? SCHEDULER_TOPIC : VOLUME_TOPIC;
  const method = operation.method as OperationMethod;
  const entry = findMethod(topic, method);
  const make = (topic === SCHEDULER_TOPIC ? toScheduler : toVolume)[method] as MakeArguments | undefined;
  const version = entry === undefined ? null : versionFor(entry, pins.rpcVersion);
  if (entry === undefined || make === undefined || version === null) {
    const what = `${method} of ${topic} at version ${pins.rpcVersion}`;
    throw failure('NotImplemented', { what, next: 'Upgrade that service, or give the work to another.' });
  }
  const request: AnyRequest = { operation, rows, args: requestArguments[method].parse(operation.arguments) as never };
  const args = argumentsFor(entry, make(request), pins.rpcVersion);
  return {
    topic,
    server: topic === SCHEDULER_TOPIC ? null : operation.owner,
    kind: entry.kind === 'call' ? 'call' : 'cast',
    method,
    version,
    args: encodeValue(backport(args, pins.objectHistory)) as Record<string, unknown>,
  };
}

interface Request<M extends OperationMethod> {
  readonly operation: Operation;
  readonly rows: WireRows;
  readonly args: RequestArguments<M>;
}
type AnyRequest = Request<never>;
type MakeArguments = (request: AnyRequest) => Record<string, unknown>;
type Senders = { readonly [M in OperationMethod]: (request: Request<M>) => Record<string, unknown> };

const toVolume: Senders = {
  create_volume({ rows, args }) {
    const spec = requestSpec(rows, args.source);
    const tried = [...args.excludedHosts, ...(rows.volume.host === null ? [] : [rows.volume.host])];
    return {
      volume: volumeToObject(rows),
      request_spec: spec,
      filter_properties: filterProperties(rows, spec, tried),
      allow_reschedule: args.pinnedHost === null,
    };
  },
  delete_volume: ({ rows, args }) => ({
    volume: volumeToObject(rows),
    unmanage_only: false,
    cascade: args.cascade,
  }),
  extend_volume: ({ rows, args }) => ({
    volume: volumeToObject(rows),
    new_size: args.newSizeGb,
    reservations: args.reservations,
  }),
  retype: ({ rows, args }) => ({
    volume: volumeToObject(rows),
    new_type_id: args.newTypeId,
    host: { host: args.host, cluster_name: null, capabilities: {} },
    migration_policy: 'never',
    reservations: args.reservations,
    old_reservations: [],
  }),
  create_snapshot: ({ rows }) => ({ snapshot: snapshotOf(rows) }),
  delete_snapshot: ({ rows }) => ({ snapshot: snapshotOf(rows), unmanage_only: false }),
  attachment_update: ({ operation, rows, args }) => ({
    vref: volumeToObject(rows),
    connector: args.connector,
    attachment_id: operation.resourceId,
  }),
  attachment_delete: ({ operation, rows }) => ({ attachment_id: operation.resourceId, vref: volumeToObject(rows) }),
  initialize_connection: ({ rows, args }) => ({ volume: volumeToObject(rows), connector: args.connector }),
  terminate_connection: ({ rows, args }) => ({
    volume_id: rows.volume.id,
    connector: args.connector,
    force: args.force,
  }),
  /** A peer names the attachment itself: it answers it, and `attachmentId` is not it. */
  attach_volume: ({ rows, args }) => ({
    volume_id: rows.volume.id,
    instance_uuid: args.instanceId,
    host_name: args.hostName,
    mountpoint: args.mountpoint,
    mode: args.mode,
    volume: volumeToObject(rows),
  }),
  detach_volume: ({ rows, args }) => ({
    volume_id: rows.volume.id,
    attachment_id: args.attachmentId,
    volume: volumeToObject(rows),
  }),
};

const toScheduler: Pick<Senders, 'create_volume' | 'extend_volume'> & Partial<Senders> = {
  create_volume: ({ rows, args }) => ({
    volume: volumeToObject(rows),
    snapshot_id: args.source.kind === 'snapshot' ? args.source.snapshotId : null,
    image_id: null,
    request_spec: requestSpec(rows, args.source),
    filter_properties: args.excludedHosts.length > 0 ? { retry: retryOf(args.excludedHosts) } : {},
    backup_id: null,
  }),
  extend_volume({ rows, args }) {
    const { volume, type } = rows;
    const spec = {
      volume_properties: plainCopy(volumeToObject(rows)),
      volume_type: plainCopy(volumeTypeToObject(type)),
      volume_id: volume.id,
    };
    const properties = { request_spec: spec, filter_properties: null };
    return { volume: volumeToObject(rows), new_size: args.newSizeGb, reservations: args.reservations, ...properties };
  },
};

function snapshotOf({ snapshot }: WireRows) {
  if (snapshot === null) throw failure('Internal', { reason: 'a message about a snapshot was made without its row' });
  return snapshotToObject(snapshot);
}
