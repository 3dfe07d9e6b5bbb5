import { failure } from '../model/errors.ts';
import { insertRow } from './insert.ts';
import { deleteMetadata, deleteMetadataKey, metadataColumn, setMetadata, typeExtraSpecs } from './metadata.ts';
import { type Row, toColumns, toVolumeType, volumeTypeColumns } from './rows.ts';
import { lockKey, type Session } from './session.ts';
import type { VolumeTypeStore } from './store.ts';
import { SQL_NOW } from './time.ts';

const selection = [
  ...Object.values(volumeTypeColumns).map((column) => `t.${column}`),
  metadataColumn(typeExtraSpecs, 't', 'extra_specs'),
].join(', ');

/** Volume types, their extra specs, and which projects may use a private one. */
export function volumeTypeStore(session: Session): VolumeTypeStore {
  const one = async (current: Session, column: 'id' | 'name', value: string) => {
    const query = current.knex('volume_types as t').where(`t.${column}`, value).where('t.deleted', false);
    const [row] = await current.read<Row[]>(query.orderBy('t.created_at').select(current.knex.raw(selection)));
    return row === undefined ? null : toVolumeType(row);
  };
  const countVolumes = async (current: Session, id: string): Promise<number> => {
    const query = current.knex('volumes').where('volume_type_id', id).where('deleted', false).count('* as count');
    const [row] = await current.read<Row[]>(query);
    return row?.count as number;
  };
  return {
    get: (id) => one(session, 'id', id),
    getByName: (name) => one(session, 'name', name),
    countVolumes: (id) => countVolumes(session, id),
    insert: (type) =>
      session.atomic(async (tx) => {
        await reserveName(tx, type.name, null);
        const row = toColumns(volumeTypeColumns, type);
        await insertRow(tx, 'volume_types', { is_public: true, deleted: false, ...row });
        await setMetadata(tx, typeExtraSpecs, type.id, type.extraSpecs ?? {}, 'merge');
        return (await one(tx, 'id', type.id))!;
      }),
    async list({ isPublic, projectId = null }) {
      const query = session.knex('volume_types as t').where('t.deleted', false);
      if (isPublic !== undefined) query.where('t.is_public', isPublic);
      if (projectId !== null) {
        query.whereRaw(
          `(t.is_public or exists (select from volume_type_projects p
             where p.volume_type_id = t.id and p.project_id = ? and p.deleted = 0))`,
          [projectId],
        );
      }
      query.orderBy([
        { column: 't.created_at', order: 'desc' },
        { column: 't.id', order: 'desc' },
      ]);
      return (await session.read<Row[]>(query.select(session.knex.raw(selection)))).map(toVolumeType);
    },
    update: (id, changes) =>
      session.atomic(async (tx) => {
        if (changes.name !== undefined) await reserveName(tx, changes.name, id);
        const query = tx
          .knex('volume_types as t')
          .where({ 't.id': id, 't.deleted': false })
          .update({ updated_at: tx.knex.raw(SQL_NOW), ...toColumns(volumeTypeColumns, changes) })
          .returning(tx.knex.raw(selection) as unknown as string);
        const [row] = await tx.write<Row[]>(query as PromiseLike<Row[]>);
        return row === undefined ? null : toVolumeType(row);
      }),
    remove: (id) =>
      session.atomic(async (tx) => {
        // Makers of volumes lock the type's row, so none of this type can appear behind the count.
        const [row] = await tx.rows('select id from volume_types where id = :id and deleted = false for update', {
          id,
        });
        if (row === undefined || (await countVolumes(tx, id)) > 0) return false;
        await tx.rows(`update volume_types set deleted = true, deleted_at = ${SQL_NOW} where id = :id`, { id });
        await tx.rows(
          `update volume_type_projects set deleted = id, deleted_at = ${SQL_NOW} where volume_type_id = :id and deleted = 0`,
          { id },
        );
        await deleteMetadata(tx, typeExtraSpecs, id);
        return true;
      }),
    setExtraSpecs: (id, specs) => setMetadata(session, typeExtraSpecs, id, specs, 'merge'),
    deleteExtraSpec: (id, key) => deleteMetadataKey(session, typeExtraSpecs, id, key),
    ...access(session),
  };
}

/** volume_type_projects: `deleted` is 0 for what holds, and the row's own id for what was taken back. */
function access(session: Session): Pick<VolumeTypeStore, 'listAccess' | 'addAccess' | 'removeAccess'> {
  return {
    async listAccess(id) {
      const rows = await session.rows<{ project_id: string }>(
        'select project_id from volume_type_projects where volume_type_id = :id and deleted = 0 order by id',
        { id },
      );
      return rows.map((row) => row.project_id);
    },
    async addAccess(id, projectId) {
      await session.atomic(async (tx) => {
        const [type] = await tx.rows('select id from volume_types where id = :id and deleted = false for key share', {
          id,
        });
        if (type === undefined) throw failure('VolumeTypeNotFound', { id });
        await tx.rows(
          `insert into volume_type_projects (volume_type_id, project_id, deleted, created_at)
           values (:id, :projectId, 0, ${SQL_NOW}) on conflict do nothing`,
          { id, projectId },
        );
      });
    },
    removeAccess: (id, projectId) =>
      session.atomic(async (tx) => {
        const rows = await tx.rows(
          `update volume_type_projects set deleted = id, deleted_at = ${SQL_NOW}
           where volume_type_id = :id and project_id = :projectId and deleted = 0 returning id`,
          { id, projectId },
        );
        return rows.length > 0;
      }),
  };
}

/** No constraint keeps names single, so whoever wants one waits for others who want the same. */
async function reserveName(tx: Session, name: string, exceptId: string | null): Promise<void> {
  await lockKey(tx, `volume_type:${name}`);
  const others = await tx.rows(
    'select id from volume_types where name = :name and deleted = false and id is distinct from :exceptId',
    { name, exceptId },
  );
  if (others.length > 0) throw failure('VolumeTypeExists', { name });
}
