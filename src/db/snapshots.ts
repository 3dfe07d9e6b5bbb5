import { failure } from '../model/errors.ts';
import { insertRow, requireNotGoing } from './insert.ts';
import { containing, havingMetadata, type Listing, listRows, matching, onBackend, oneOf } from './list-query.ts';
import { deleteMetadata, deleteMetadataKey, metadataColumn, setMetadata, snapshotMetadata } from './metadata.ts';
import { type Row, snapshotColumns, toColumns, toSnapshot } from './rows.ts';
import type { Session } from './session.ts';
import type { SnapshotFilters, SnapshotStore } from './store.ts';
import { SQL_NOW } from './time.ts';

const selection = [
  ...Object.values(snapshotColumns).map((column) => `t.${column}`),
  metadataColumn(snapshotMetadata, 't', 'metadata'),
].join(', ');

const listing: Listing<SnapshotFilters> = {
  table: 'snapshots',
  columns: snapshotColumns,
  selection,
  project: (query, projectId) => query.where('t.project_id', projectId),
  filter(query, filters) {
    oneOf(query, 't.id', filters.id);
    oneOf(query, 't.display_name', filters.name);
    containing(query, 't.display_name', filters.nameLike);
    oneOf(query, 't.status', filters.status);
    oneOf(query, 't.volume_id', filters.volumeId);
    if (filters.availabilityZone !== undefined) {
      query.whereRaw('exists (select from volumes v where v.id = t.volume_id and v.availability_zone = ?)', [
        filters.availabilityZone,
      ]);
    }
    havingMetadata(query, snapshotMetadata, filters.metadata);
  },
};

/** Snapshots in the `snapshots` table and snapshot_metadata. */
export function snapshotStore(session: Session): SnapshotStore {
  const read = async (current: Session, id: string, projectId: string | null, deleted: boolean) => {
    const query = current.knex('snapshots as t').where('t.id', id).select(current.knex.raw(selection));
    if (!deleted) query.where('t.deleted', false);
    if (projectId !== null) query.where('t.project_id', projectId);
    const [row] = await current.read<Row[]>(query);
    return row === undefined ? null : toSnapshot(row);
  };
  return {
    get: (id, { projectId = null, deleted = false } = {}) => read(session, id, projectId, deleted),
    insert: (snapshot) =>
      session.atomic(async (tx) => {
        const { id, metadata } = snapshot;
        await requireNotGoing(tx, 'volumes', snapshot.volumeId);
        await insertRow(
          tx,
          'snapshots',
          { use_quota: true, deleted: false, ...toColumns(snapshotColumns, snapshot) },
          { references: () => failure('VolumeNotFound', { id: snapshot.volumeId }) },
        );
        if (metadata !== undefined) await setMetadata(tx, snapshotMetadata, id, metadata, 'merge');
        const inserted = await read(tx, id, null, true);
        if (inserted === null) throw failure('SnapshotNotFound', { id });
        return inserted;
      }),
    list: async (query) => (await listRows(session, listing, query)).map(toSnapshot),
    async count(query) {
      const [row] = await session.read<Row[]>(matching(session, listing, query).count('* as count'));
      return row?.count as number;
    },
    updateIf: (id, condition, changes) => {
      const update = async (current: Session) => {
        const { knex } = current;
        const query = knex('snapshots as t')
          .where('t.id', id)
          .where('t.deleted', false)
          .update({
            updated_at: knex.raw(SQL_NOW),
            ...(changes.deleted === true ? { deleted_at: knex.raw(SQL_NOW) } : {}),
            ...toColumns(snapshotColumns, changes),
          })
          .returning(knex.raw(selection) as unknown as string);
        oneOf(query, 't.status', condition.status);
        if (condition.notInUse === true) {
          query.whereRaw(
            `not exists (select from volumes v where v.snapshot_id = t.id and v.status = 'creating' and v.deleted = false)`,
          );
        }
        const [row] = await current.write<Row[]>(query as PromiseLike<Row[]>);
        return row === undefined ? null : toSnapshot(row);
      };
      if (condition.notInUse !== true && changes.deleted !== true) return update(session);
      return session.atomic(async (tx) => {
        // Makers of volumes from this snapshot lock its row; see the same in volumes.ts.
        await tx.rows('select id from snapshots where id = :id for update', { id });
        const snapshot = await update(tx);
        if (snapshot?.deleted === true) await deleteMetadata(tx, snapshotMetadata, id);
        return snapshot;
      });
    },
    setMetadata: (id, metadata, mode) => setMetadata(session, snapshotMetadata, id, metadata, mode),
    deleteMetadataKey: (id, key) => deleteMetadataKey(session, snapshotMetadata, id, key),
    async listByBackend(serviceHost, afterId, limit) {
      const query = session
        .knex('snapshots as t')
        .join('volumes as v', 'v.id', 't.volume_id')
        .where('t.deleted', false)
        .orderBy('t.id')
        .limit(limit);
      onBackend(query, 'v.host', serviceHost);
      if (afterId !== null) query.where('t.id', '>', afterId);
      return (await session.read<Row[]>(query.select(session.knex.raw(selection)))).map(toSnapshot);
    },
  };
}
