/**
 * What a peer wrote into the rows before it asked for something, and how they are left where the work is refused: nothing
 * was touched, so a volume goes back to what it was; what cannot go back ends in the status of a failure. Pure.
 */
import { VersionedObject } from '../objects/objects.ts';

/** One conditional change: rows of the table whose `key` is that id and whose `column` is one of `from`. */
export interface RowChange {
  readonly table: 'volumes' | 'snapshots' | 'groups' | 'group_snapshots' | 'backups';
  readonly key: 'id' | 'group_id' | 'group_snapshot_id';
  readonly id: string;
  readonly column: 'status' | 'replication_status' | 'migration_status';
  readonly from: readonly string[];
  /** `unused or in-use`: as the attachments of the volume say. `previous`: volumes.previous_status where it is set. */
  readonly to: string | { readonly computed: 'unused or in-use' | 'previous' };
}

export interface Aftermath {
  readonly rows: readonly RowChange[];
  /** Whom a message tells about it. */
  readonly resource: { readonly type: 'volume' | 'snapshot'; readonly id: string } | null;
  /** Reservations of quota to roll back. */
  readonly reservations: readonly string[];
}

type Arguments = Readonly<Record<string, unknown>>;

/** Null where the peer had changed nothing, or waits for the answer and puts its rows right itself. */
export function aftermathOf(topic: string, method: string, args: Arguments): Aftermath | null {
  const table = topic === 'cinder-scheduler' ? ofScheduler : ofVolume;
  const make = Object.hasOwn(table, method) ? table[method] : undefined;
  const made = make?.(args) ?? null;
  if (made === null) return null;
  // A scheduler finds them in the spec.
  const spec = dictionaryOf(args.request_spec);
  const open = [args.reservations, args.old_reservations, spec.quota_reservations, spec.old_reservations];
  return { ...made, reservations: open.flatMap(strings) };
}

type Made = Omit<Aftermath, 'reservations'>;
type Makers = Readonly<Record<string, (args: Arguments) => Made | null>>;

const usedOrNot = { computed: 'unused or in-use' } as const;
const previous = { computed: 'previous' } as const;

const createVolume = (args: Arguments) => onVolume(idOf(args.volume), ['creating'], 'error');
const manageVolume = (args: Arguments) => onVolume(idOf(args.volume), ['managing', 'creating'], 'error_managing');
const manageSnapshot = (args: Arguments) => onSnapshot(idOf(args.snapshot), ['creating'], 'error');
const retypeVolume = (args: Arguments) => onVolume(idOf(args.volume), ['retyping'], usedOrNot);
const createGroup = (args: Arguments) => onGroup(idOf(args.group), ['creating'], 'error');

function migrateVolume({ volume }: Arguments): Made | null {
  const made = onVolume(idOf(volume), ['maintenance'], previous);
  const id = idOf(volume);
  if (made === null || id === null) return made;
  const ended = { ...rowOf('volumes', id, ['starting', 'migrating'], 'error'), column: 'migration_status' } as const;
  return { ...made, rows: [...made.rows, ended] };
}

const ofVolume: Makers = {
  create_volume: createVolume,
  delete_volume: ({ volume }) => onVolume(idOf(volume), ['unmanaging'], previous),
  delete_snapshot: ({ snapshot }) => onSnapshot(idOf(snapshot), ['unmanaging'], 'available'),
  copy_volume_to_image: ({ volume_id }) => onVolume(textOf(volume_id), ['uploading'], usedOrNot),
  reimage: ({ volume }) => onVolume(idOf(volume), ['downloading'], previous),
  manage_existing: manageVolume,
  manage_existing_snapshot: manageSnapshot,
  migrate_volume: migrateVolume,
  retype: retypeVolume,
  revert_to_snapshot({ volume, snapshot }) {
    const made = onVolume(idOf(volume), ['reverting'], usedOrNot);
    const id = idOf(snapshot);
    if (made === null || id === null) return made;
    return { ...made, rows: [...made.rows, rowOf('snapshots', id, ['restoring'], 'available')] };
  },
  create_group: createGroup,
  create_group_from_src({ group }) {
    const made = createGroup({ group });
    const id = idOf(group);
    if (made === null || id === null) return made;
    return { ...made, rows: [...made.rows, { ...rowOf('volumes', id, ['creating'], 'error'), key: 'group_id' }] };
  },
  update_group: ({ group }) => onGroup(idOf(group), ['updating'], 'available'),
  delete_group({ group }) {
    const made = onGroup(idOf(group), ['deleting'], 'error_deleting');
    const id = idOf(group);
    if (made === null || id === null) return made;
    const volumes = { ...rowOf('volumes', id, ['deleting'], 'error_deleting'), key: 'group_id' } as const;
    return { ...made, rows: [...made.rows, volumes] };
  },
  create_group_snapshot: ({ group_snapshot }) => onGroupSnapshot(idOf(group_snapshot), ['creating'], 'error'),
  delete_group_snapshot: ({ group_snapshot }) => onGroupSnapshot(idOf(group_snapshot), ['deleting'], 'error_deleting'),
  enable_replication: ({ group }) => onReplication(idOf(group)),
  disable_replication: ({ group }) => onReplication(idOf(group)),
  failover_replication: ({ group }) => onReplication(idOf(group)),
  get_backup_device({ backup, async_call }) {
    const id = idOf(backup);
    // Who waits for the answer ends the backup itself.
    if (id === null || async_call !== true) return null;
    return { rows: [rowOf('backups', id, ['creating'], 'error'), ...backedUp(backup)], resource: null };
  },
};

const ofScheduler: Makers = {
  create_volume: createVolume,
  manage_existing: manageVolume,
  manage_existing_snapshot: manageSnapshot,
  migrate_volume: migrateVolume,
  retype: retypeVolume,
  create_group: createGroup,
  create_backup({ backup }) {
    const id = idOf(backup);
    if (id === null) return null;
    return { rows: [rowOf('backups', id, ['creating'], 'error'), ...backedUp(backup)], resource: null };
  },
};

/** The volume, or the snapshot, that waits for its backup. */
function backedUp(backup: unknown): readonly RowChange[] {
  const { volume_id: volume, snapshot_id: snapshot } = fieldsOf(backup);
  const rows: RowChange[] = [];
  if (textOf(volume) !== null) rows.push(rowOf('volumes', String(volume), ['backing-up'], previous));
  if (textOf(snapshot) !== null) rows.push(rowOf('snapshots', String(snapshot), ['backing-up'], 'available'));
  return rows;
}

function onVolume(id: string | null, from: readonly string[], to: RowChange['to']): Made | null {
  return id === null ? null : { rows: [rowOf('volumes', id, from, to)], resource: { type: 'volume', id } };
}

function onSnapshot(id: string | null, from: readonly string[], to: string): Made | null {
  return id === null ? null : { rows: [rowOf('snapshots', id, from, to)], resource: { type: 'snapshot', id } };
}

function onGroup(id: string | null, from: readonly string[], to: string): Made | null {
  return id === null ? null : { rows: [rowOf('groups', id, from, to)], resource: null };
}

function onGroupSnapshot(id: string | null, from: readonly string[], to: string): Made | null {
  if (id === null) return null;
  const members = { ...rowOf('snapshots', id, from, to), key: 'group_snapshot_id' } as const;
  return { rows: [rowOf('group_snapshots', id, from, to), members], resource: null };
}

function onReplication(id: string | null): Made | null {
  if (id === null) return null;
  const row = rowOf('groups', id, ['enabling', 'disabling', 'failing-over'], 'error');
  return { rows: [{ ...row, column: 'replication_status' }], resource: null };
}

function rowOf(table: RowChange['table'], id: string, from: readonly string[], to: RowChange['to']): RowChange {
  return { table, key: 'id', id, column: 'status', from, to };
}

function idOf(value: unknown): string | null {
  return textOf(fieldsOf(value).id);
}

function fieldsOf(value: unknown): Arguments {
  return value instanceof VersionedObject ? value.fields : {};
}

function dictionaryOf(value: unknown): Arguments {
  return typeof value === 'object' && value !== null ? (value as Arguments) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
