import { failure } from '../model/errors.ts';
import { insertRow, requireNotGoing } from './insert.ts';
import { type Listing, listRows, oneOf } from './list-query.ts';
import { attachmentColumns, type Row, toAttachment, toColumns } from './rows.ts';
import type { Session } from './session.ts';
import type { AttachmentFilters, AttachmentStore } from './store.ts';
import { SQL_NOW } from './time.ts';

const selection = Object.values(attachmentColumns)
  .map((column) => `t.${column}`)
  .join(', ');

const listing: Listing<AttachmentFilters> = {
  table: 'volume_attachment',
  columns: attachmentColumns,
  selection,
  project: (query, projectId) =>
    query.whereRaw('exists (select from volumes v where v.id = t.volume_id and v.project_id = ?)', [projectId]),
  filter(query, filters) {
    oneOf(query, 't.id', filters.id);
    oneOf(query, 't.volume_id', filters.volumeId);
    oneOf(query, 't.instance_uuid', filters.instanceId);
    oneOf(query, 't.attach_status', filters.attachStatus);
    oneOf(query, 't.attached_host', filters.attachedHost);
  },
};

/** Attachments in the `volume_attachment` table; connector and connection_info are JSON text there. */
export function attachmentStore(session: Session): AttachmentStore {
  const get: AttachmentStore['get'] = async (id, { projectId = null } = {}) => {
    const query = session.knex('volume_attachment as t').where('t.id', id).where('t.deleted', false);
    if (projectId !== null) listing.project(query, projectId);
    const [row] = await session.read<Row[]>(query.select(session.knex.raw(selection)));
    return row === undefined ? null : toAttachment(row);
  };
  return {
    get,
    insert: (attachment) =>
      session.atomic(async (tx) => {
        await requireNotGoing(tx, 'volumes', attachment.volumeId);
        await insertRow(
          tx,
          'volume_attachment',
          { deleted: false, ...toColumns(attachmentColumns, attachment) },
          { references: () => failure('VolumeNotFound', { id: attachment.volumeId }) },
        );
        const query = tx.knex('volume_attachment as t').where('t.id', attachment.id);
        const [row] = await tx.read<Row[]>(query.select(tx.knex.raw(selection)));
        return toAttachment(row!);
      }),
    list: async (query) => (await listRows(session, listing, query)).map(toAttachment),
    async listByVolume(volumeId) {
      const query = session
        .knex('volume_attachment as t')
        .where('t.volume_id', volumeId)
        .where('t.deleted', false)
        .orderBy(['t.created_at', 't.id']);
      return (await session.read<Row[]>(query.select(session.knex.raw(selection)))).map(toAttachment);
    },
    async updateIf(id, condition, changes) {
      const { knex } = session;
      const query = knex('volume_attachment as t')
        .where('t.id', id)
        .where('t.deleted', false)
        .update({
          updated_at: knex.raw(SQL_NOW),
          ...(changes.deleted === true ? { deleted_at: knex.raw(SQL_NOW) } : {}),
          ...toColumns(attachmentColumns, changes),
        })
        .returning(knex.raw(selection) as unknown as string);
      oneOf(query, 't.attach_status', condition.attachStatus);
      const [row] = await session.write<Row[]>(query as PromiseLike<Row[]>);
      return row === undefined ? null : toAttachment(row);
    },
  };
}
