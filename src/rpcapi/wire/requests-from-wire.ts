/** Decoded arguments -> what an operation's record is made of, a function per method. */
import { serviceHost } from '../../model/backend.ts';
import { VersionedObject } from '../objects/objects.ts';
import { type OperationMethod, type RequestArguments, SCHEDULER_TOPIC } from '../requests.ts';
import { type ArgumentsOf, notServed, type WireTable } from './method.ts';
import type { schedulerMethods } from './scheduler-methods.ts';
import type { volumeMethods } from './volume-methods.ts';

/** The arguments are checked against the operation's own schema afterwards. */
export type MadeRequest =
  | {
      readonly resourceType: 'volume' | 'snapshot' | 'attachment';
      readonly resourceId: string;
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly owner: string | null;
    }
  | { readonly refused: string };

/** Any of the functions below; what it takes depends on its method. */
export type MakeRequest = (args: never, newId: () => string) => MadeRequest;

type Requests<T extends WireTable> = {
  readonly [M in keyof T & OperationMethod]?: (args: ArgumentsOf<T[M]>, newId: () => string) => MadeRequest;
};

const UNMANAGE = 'Giving up the management of storage is not served by this backend. Delete it, or keep it.';

export const volumeRequests: Requests<typeof volumeMethods> = {
  create_volume({ volume, request_spec, filter_properties, allow_reschedule }) {
    const spec = fieldsOf(request_spec);
    const refused = whyNotCreated(spec, volume);
    if (refused !== null) return { refused };
    const { host = null } = volume.fields;
    const source = sourceOf(spec, volume);
    // What is copied here can be copied nowhere else; and a caller may forbid other places, or not keep count of them.
    const mayMove = allow_reschedule && isDictionary(filter_properties?.retry);
    const pinnedHost = source.kind !== 'blank' || !mayMove ? host : null;
    return onVolume(volume, {
      source,
      pinnedHost,
      availabilityZone: volume.fields.availability_zone ?? null,
      excludedHosts: triedHosts(filter_properties).filter((tried) => tried !== host),
    });
  },
  delete_volume({ volume, unmanage_only, cascade }) {
    return unmanage_only ? { refused: UNMANAGE } : onVolume(volume, { force: false, cascade });
  },
  extend_volume({ volume, new_size, reservations }) {
    return onVolume(volume, { newSizeGb: new_size, reservations: strings(reservations) });
  },
  retype({ volume, new_type_id, host, reservations, old_reservations }) {
    const chosen = isDictionary(host) ? host.host : host;
    return onVolume(volume, {
      newTypeId: new_type_id,
      host: chosen ?? volume.fields.host,
      reservations: [...strings(reservations), ...strings(old_reservations)],
    });
  },
  create_snapshot: ({ snapshot }) => onSnapshot(snapshot),
  delete_snapshot: ({ snapshot, unmanage_only }) => (unmanage_only ? { refused: UNMANAGE } : onSnapshot(snapshot)),
  attachment_update: ({ vref, connector, attachment_id }) =>
    onAttachment(attachment_id, { volumeId: vref.fields.id, connector, created: false }),
  attachment_delete: ({ attachment_id, vref }) => onAttachment(attachment_id, { volumeId: vref.fields.id }),
  initialize_connection: ({ volume, connector }) => onVolume(volume, { connector }),
  terminate_connection: ({ volume_id, connector, force }) => onVolumeId(volume_id, { connector, force }),
  attach_volume: ({ volume_id, instance_uuid, host_name, mountpoint, mode }, newId) =>
    onVolumeId(volume_id, {
      attachmentId: newId(),
      instanceId: instance_uuid,
      hostName: host_name,
      mountpoint,
      mode: mode ?? 'rw',
    }),
  detach_volume: ({ volume_id, attachment_id }) => onVolumeId(volume_id, { attachmentId: attachment_id }),
};

export const schedulerRequests: Requests<typeof schedulerMethods> = {
  /** `pinnedHost` is null: where a source lives stands in its row, which is to be looked up. */
  create_volume({ volume, snapshot_id, image_id, request_spec, filter_properties, backup_id }) {
    const spec = { snapshot_id, image_id, backup_id, ...present(fieldsOf(request_spec)) };
    const refused = whyNotCreated(spec, volume);
    if (refused !== null) return { refused };
    const made = onVolume(volume, {
      source: sourceOf(spec, volume),
      pinnedHost: null,
      availabilityZone: volume.fields.availability_zone ?? null,
      excludedHosts: triedHosts(filter_properties),
    });
    return { ...made, owner: SCHEDULER_TOPIC };
  },
  extend_volume({ volume, new_size, reservations }) {
    const made = onVolume(volume, { newSizeGb: new_size, reservations: strings(reservations) });
    return { ...made, owner: SCHEDULER_TOPIC };
  },
  /** A snapshot is made where its volume is: there is no place to choose. */
  create_snapshot: ({ snapshot, backend }) => ({ ...onSnapshot(snapshot), owner: serviceHost(backend) }),
};

function onVolume(volume: VersionedObject<'Volume'>, args: Readonly<Record<string, unknown>>) {
  return onVolumeId(volume.fields.id as string, args);
}

function onVolumeId(id: string, args: Readonly<Record<string, unknown>>) {
  return { resourceType: 'volume', resourceId: id, arguments: args, owner: null } as const;
}

function onSnapshot({ fields }: VersionedObject<'Snapshot'>) {
  const args = { volumeId: fields.volume_id };
  return {
    resourceType: 'snapshot',
    resourceId: fields.id as string,
    arguments: args,
    owner: null,
  } as const;
}

function onAttachment(id: string, args: Readonly<Record<string, unknown>>) {
  return { resourceType: 'attachment', resourceId: id, arguments: args, owner: null } as const;
}

type Fields = Readonly<Record<string, unknown>>;

/** A request spec comes as an object or as a plain dictionary. */
function fieldsOf(spec: unknown): Fields {
  if (spec instanceof VersionedObject) return spec.fields;
  return typeof spec === 'object' && spec !== null ? (spec as Fields) : {};
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function whyNotCreated(spec: Fields, volume: VersionedObject<'Volume'>): string | null {
  if (isText(spec.image_id)) return notServed.images.reason;
  if (isText(spec.backup_id)) return notServed.backups.reason;
  if (isText(volume.fields.encryption_key_id)) {
    return 'Encrypted volumes are not served by this backend. Choose a type without encryption.';
  }
  return null;
}

function sourceOf(spec: Fields, { fields }: VersionedObject<'Volume'>): RequestArguments<'create_volume'>['source'] {
  const snapshotId = spec.snapshot_id ?? fields.snapshot_id;
  if (isText(snapshotId)) return { kind: 'snapshot', snapshotId };
  const volumeId = spec.source_volid ?? fields.source_volid;
  return isText(volumeId) ? { kind: 'volume', volumeId } : { kind: 'blank' };
}

/** Where the volume was tried, the place that it goes to now included; `hosts` is what older schedulers write. */
function triedHosts(properties: Fields | null): readonly string[] {
  const retry = fieldsOf(properties?.retry);
  return strings(retry.backends ?? retry.hosts);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}

function isDictionary(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
