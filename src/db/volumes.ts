import type { Knex } from 'knex';
import { failure } from '../model/errors.ts';
import type { Volume } from '../model/volume.ts';
import { insertRow, requireNotGoing } from './insert.ts';
import {
  containing,
  havingMetadata,
  type Listing,
  listRows,
  matching,
  onBackend,
  oneOf,
  within,
} from './list-query.ts';
import {
  deleteMetadata,
  deleteMetadataKey,
  metadataColumn,
  setMetadata,
  volumeAdminMetadata,
  volumeMetadata,
} from './metadata.ts';
import { type Row, toColumns, toVolume, volumeColumns } from './rows.ts';
import type { Session } from './session.ts';
import type { VolumeCondition, VolumeFilters, VolumeStore } from './store.ts';
import { SQL_NOW } from './time.ts';

const columns = Object.values(volumeColumns).map((column) => `t.${column}`);
const selection = [
  ...columns,
  metadataColumn(volumeMetadata, 't', 'metadata'),
  metadataColumn(volumeAdminMetadata, 't', 'admin_metadata'),
].join(', ');

/** $1 id, $2 deleted ones too, $3 project or null for any. */
const GET = `select ${selection} from volumes t where t.id = $1 and ($2::boolean or t.deleted = false)
  and ($3::varchar is null or t.project_id = $3::varchar)`;

const listing: Listing<VolumeFilters> = {
  table: 'volumes',
  columns: volumeColumns,
  selection,
  project: (query, projectId) => query.where('t.project_id', projectId),
  filter(query, filters) {
    oneOf(query, 't.id', filters.id);
    oneOf(query, 't.display_name', filters.name);
    containing(query, 't.display_name', filters.nameLike);
    oneOf(query, 't.status', filters.status);
    if (filters.host !== undefined) onBackend(query, 't.host', filters.host);
    oneOf(query, 't.availability_zone', filters.availabilityZone);
    oneOf(query, 't.bootable', filters.bootable);
    oneOf(query, 't.multiattach', filters.multiattach);
    oneOf(query, 't.volume_type_id', filters.volumeTypeId);
    oneOf(query, 't.user_id', filters.userId);
    oneOf(query, 't.source_volid', filters.sourceVolumeId);
    oneOf(query, 't.snapshot_id', filters.snapshotId);
    oneOf(query, 't.attach_status', filters.attachStatus);
    oneOf(query, 't.migration_status', filters.migrationStatus);
    oneOf(query, 't.size', filters.sizeGb);
    within(query, 't.created_at', filters.createdAt);
    within(query, 't.updated_at', filters.updatedAt);
    havingMetadata(query, volumeMetadata, filters.metadata);
  },
};

/** Volumes in the `volumes` table and its two metadata tables. */
export function volumeStore(session: Session): VolumeStore {
  const get: VolumeStore['get'] = async (id, { projectId = null, deleted = false } = {}) => {
    const [row] = await session.oftenRead(GET, [id, deleted, projectId]);
    return row === undefined ? null : toVolume(row);
  };
  return {
    get,
    insert: (volume) =>
      session.atomic(async (tx) => {
        const { id, metadata, adminMetadata } = volume;
        await requireNotGoing(tx, 'volume_types', volume.volumeTypeId);
        if (volume.snapshotId) await requireNotGoing(tx, 'snapshots', volume.snapshotId);
        if (volume.sourceVolumeId) await requireNotGoing(tx, 'volumes', volume.sourceVolumeId);
        await insertRow(tx, 'volumes', { ...defaults, ...toColumns(volumeColumns, volume) });
        if (metadata !== undefined) await setMetadata(tx, volumeMetadata, id, metadata, 'merge');
        if (adminMetadata !== undefined) await setMetadata(tx, volumeAdminMetadata, id, adminMetadata, 'merge');
        return readInserted(tx, id);
      }),
    list: async (query) => (await listRows(session, listing, query)).map(toVolume),
    async count(query) {
      const [row] = await session.read<Row[]>(matching(session, listing, query).count('* as count'));
      return row?.count as number;
    },
    async summary(query) {
      const builder = matching(session, listing, query).select(
        session.knex.raw('count(*) as count, coalesce(sum(t.size), 0) as size'),
      );
      const [row] = await session.read<Row[]>(builder);
      return { count: row?.count as number, sizeGb: row?.size as number };
    },
    async lock(id) {
      await session.rows('select id from volumes where id = :id for update', { id });
      return await get(id);
    },
    updateIf: (id, condition, changes) => {
      const update = async (current: Session) => {
        const query = current
          .knex('volumes as t')
          .where('t.id', id)
          .where('t.deleted', false)
          .update({
            updated_at: current.knex.raw(SQL_NOW),
            ...(changes.deleted === true ? { deleted_at: current.knex.raw(SQL_NOW) } : {}),
            ...toColumns(volumeColumns, changes),
          })
          .returning(current.knex.raw(selection) as unknown as string);
        applyCondition(query, condition);
        const [row] = await current.write<Row[]>(query as PromiseLike<Row[]>);
        return row === undefined ? null : toVolume(row);
      };
      const looksElsewhere = condition.noSnapshots === true || condition.noAttachments === true;
      if (!looksElsewhere && changes.deleted !== true) return update(session);
      return session.atomic(async (tx) => {
        // Makers of snapshots and attachments lock this row; with it locked, none can appear behind the condition's back.
        await tx.rows('select id from volumes where id = :id for update', { id });
        const volume = await update(tx);
        if (volume?.deleted === true) {
          await deleteMetadata(tx, volumeMetadata, id);
          await deleteMetadata(tx, volumeAdminMetadata, id);
        }
        return volume;
      });
    },
    setMetadata: (id, metadata, mode) => setMetadata(session, volumeMetadata, id, metadata, mode),
    deleteMetadataKey: (id, key) => deleteMetadataKey(session, volumeMetadata, id, key),
    setAdminMetadata: (id, metadata) => setMetadata(session, volumeAdminMetadata, id, metadata, 'replace'),
    async listByBackend(serviceHost, afterId, limit) {
      const query = session.knex('volumes as t').where('t.deleted', false).orderBy('t.id').limit(limit);
      onBackend(query, 't.host', serviceHost);
      if (afterId !== null) query.where('t.id', '>', afterId);
      return (await session.read<Row[]>(query.select(session.knex.raw(selection)))).map(toVolume);
    },
    async allocated(serviceHost) {
      const query = session
        .knex('volumes as t')
        .where('t.deleted', false)
        .whereNotNull('t.host')
        .groupBy('t.host')
        .orderBy('t.host')
        .select(session.knex.raw('t.host, coalesce(sum(t.size), 0) as size, count(*) as count'));
      if (serviceHost !== null) onBackend(query, 't.host', serviceHost);
      const rows = await session.read<Row[]>(query);
      return rows.map((row) => ({ host: row.host as string, sizeGb: row.size as number, count: row.count as number }));
    },
  };
}

const defaults = { attach_status: 'detached', bootable: false, multiattach: false, use_quota: true, deleted: false };

async function readInserted(tx: Session, id: string): Promise<Volume> {
  const [row] = await tx.read<Row[]>(tx.knex('volumes as t').where('t.id', id).select(tx.knex.raw(selection)));
  if (row === undefined) throw failure('VolumeNotFound', { id });
  return toVolume(row);
}

/** Migrations that ended leave their outcome in migration_status. */
const ENDED_MIGRATION = ['none', 'success', 'error'];

function applyCondition(query: Knex.QueryBuilder, condition: VolumeCondition): void {
  oneOf(query, 't.status', condition.status);
  oneOf(query, 't.attach_status', condition.attachStatus);
  oneOf(query, 't.multiattach', condition.multiattach);
  if (condition.migrationStatus === null) {
    query.where((either) => either.whereNull('t.migration_status').orWhereIn('t.migration_status', ENDED_MIGRATION));
  }
  if (condition.host === null) query.whereNull('t.host');
  else oneOf(query, 't.host', condition.host);
  if (condition.sizeLessThanGb !== undefined) query.where('t.size', '<', condition.sizeLessThanGb);
  if (condition.noSnapshots === true) {
    query.whereRaw('not exists (select from snapshots s where s.volume_id = t.id and s.deleted = false)');
  }
  if (condition.noAttachments === true) {
    query.whereRaw('not exists (select from volume_attachment a where a.volume_id = t.id and a.deleted = false)');
  }
}
