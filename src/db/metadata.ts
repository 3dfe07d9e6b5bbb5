/** Key-value tables that hang on another: volume_metadata, snapshot_metadata, volume_type_extra_specs, … */
import { failure } from '../model/errors.ts';
import type { Session } from './session.ts';
import { SQL_NOW } from './time.ts';

export interface MetadataTable {
  readonly name: string;
  /** The column that names the owner. */
  readonly owner: string;
  /** The owner's table. */
  readonly ownerTable: string;
  /** Thrown where there is no such owner. */
  readonly notFound: 'VolumeNotFound' | 'SnapshotNotFound' | 'VolumeTypeNotFound';
}

export const volumeMetadata: MetadataTable = {
  name: 'volume_metadata',
  owner: 'volume_id',
  ownerTable: 'volumes',
  notFound: 'VolumeNotFound',
};

export const volumeAdminMetadata: MetadataTable = { ...volumeMetadata, name: 'volume_admin_metadata' };

export const snapshotMetadata: MetadataTable = {
  name: 'snapshot_metadata',
  owner: 'snapshot_id',
  ownerTable: 'snapshots',
  notFound: 'SnapshotNotFound',
};

export const typeExtraSpecs: MetadataTable = {
  name: 'volume_type_extra_specs',
  owner: 'volume_type_id',
  ownerTable: 'volume_types',
  notFound: 'VolumeTypeNotFound',
};

/** The map of the row that is called `alias`, as a selected column: lists need no query per row. */
export function metadataColumn(table: MetadataTable, alias: string, as: string): string {
  return `(select json_object_agg(m.key, m.value order by m.id) from ${table.name} m
    where m.${table.owner} = ${alias}.id and m.deleted = false and m.key is not null) as ${as}`;
}

/**
 * Sets keys: all of them (`replace`: others go) or these only (`merge`). Writers of one owner wait for one another, since
 * no constraint keeps a key single.
 */
export async function setMetadata(
  session: Session,
  table: MetadataTable,
  id: string,
  metadata: Readonly<Record<string, string>>,
  mode: 'merge' | 'replace',
): Promise<void> {
  const keys = Object.keys(metadata);
  if (keys.includes(''))
    throw failure('InvalidInput', { reason: 'A metadata key is empty. Give it 1 to 255 characters.' });
  const bindings = { id, keys, values: Object.values(metadata) };
  await session.atomic(async (tx) => {
    await lockOwner(tx, table, id);
    if (mode === 'replace') await removeKeys(tx, table, id, 'not (key = any(:keys))', { keys });
    if (keys.length === 0) return;
    const pairs = 'unnest(:keys::text[], :values::text[]) as d(key, value)';
    await tx.rows(
      `update ${table.name} m set value = d.value, updated_at = ${SQL_NOW} from ${pairs}
       where m.${table.owner} = :id and m.deleted = false and m.key = d.key and m.value is distinct from d.value`,
      bindings,
    );
    await tx.rows(
      `insert into ${table.name} (${table.owner}, key, value, deleted, created_at)
       select :id, d.key, d.value, false, ${SQL_NOW} from ${pairs}
       where not exists (select from ${table.name} m where m.${table.owner} = :id and m.deleted = false and m.key = d.key)`,
      bindings,
    );
  });
}

/** True if the key was there. */
export async function deleteMetadataKey(
  session: Session,
  table: MetadataTable,
  id: string,
  key: string,
): Promise<boolean> {
  return session.atomic((tx) => removeKeys(tx, table, id, 'key = :key', { key }));
}

/** Marks all of it deleted, with its owner. */
export async function deleteMetadata(session: Session, table: MetadataTable, id: string): Promise<void> {
  await removeKeys(session, table, id, 'true', {});
}

async function removeKeys(
  tx: Session,
  table: MetadataTable,
  id: string,
  condition: string,
  bindings: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const rows = await tx.rows(
    `update ${table.name} set deleted = true, deleted_at = ${SQL_NOW}
     where ${table.owner} = :id and deleted = false and ${condition} returning id`,
    { ...bindings, id },
  );
  return rows.length > 0;
}

async function lockOwner(tx: Session, table: MetadataTable, id: string): Promise<void> {
  const owners = await tx.rows(
    `select id from ${table.ownerTable} where id = :id and deleted = false for no key update`,
    { id },
  );
  if (owners.length === 0) throw failure(table.notFound, { id });
}
