/** Attachments (3.27): one consumer's use of a volume, from its reservation to its end. */
import { z } from 'zod';
import type { AttachmentFilters } from '../../db/store.ts';
import { failure } from '../../model/errors.ts';
import type { AttachmentStatus } from '../../model/status.ts';
import { actionRoute } from '../action-route.ts';
import { uuid } from '../body.ts';
import { listQuery, type QueryValues, readFilters, readPage, readSort } from '../list-query.ts';
import { completeAttachment } from '../requests/complete-attachment.ts';
import { createAttachment } from '../requests/create-attachment.ts';
import { deleteAttachment } from '../requests/delete-attachment.ts';
import { findAttachment } from '../requests/find.ts';
import { updateAttachment } from '../requests/update-attachment.ts';
import { type ApiRequest, defineAction, defineRoute, type Route } from '../route.ts';
import { attachmentDetail, attachmentSummary } from '../views/attachment.ts';

const NEW_ATTACH = 27;
const COMPLETION = 44;
const MODE = 54;

const connector = z.record(z.string(), z.unknown());

const createBody = z.strictObject({
  attachment: z.strictObject({
    volume_uuid: uuid,
    instance_uuid: uuid.optional(),
    connector: connector.nullish(),
    mode: z.enum(['rw', 'ro']).optional(),
  }),
});

const updateBody = z.strictObject({
  attachment: z.strictObject({
    connector: connector.refine((value) => Object.keys(value).length > 0, 'must not be empty'),
  }),
});

const create = defineRoute({
  method: 'POST',
  path: '/attachments',
  since: NEW_ATTACH,
  summary: 'Reserve a volume for a consumer, and connect it where a connector is given',
  body: createBody,
  async handle({ services, context, version, body: { attachment: input } }) {
    if (input.mode !== undefined && version < MODE) {
      throw failure('InvalidInput', { reason: `attachment.mode needs microversion 3.${MODE} or later.` });
    }
    const attachment = await createAttachment(services, context, {
      volumeId: input.volume_uuid,
      instanceId: input.instance_uuid ?? null,
      connector: input.connector && Object.keys(input.connector).length > 0 ? input.connector : null,
      mode: input.mode ?? null,
    });
    return { status: 200, body: { attachment: attachmentDetail(attachment) } };
  },
});

const update = defineRoute({
  method: 'PUT',
  path: '/attachments/:id',
  since: NEW_ATTACH,
  summary: 'Connect a reserved attachment',
  body: updateBody,
  async handle({ services, context, params, body }) {
    const attachment = await updateAttachment(services, context, params.id!, body.attachment.connector);
    return { status: 200, body: { attachment: attachmentDetail(attachment) } };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/attachments',
  since: NEW_ATTACH,
  summary: 'List attachments',
  query: listQuery,
  async handle(request) {
    return { status: 200, body: { attachments: (await listAttachments(request)).map(attachmentSummary) } };
  },
});

const listDetail = defineRoute({
  method: 'GET',
  path: '/attachments/detail',
  since: NEW_ATTACH,
  summary: 'List attachments with their connections',
  query: listQuery,
  async handle(request) {
    return { status: 200, body: { attachments: (await listAttachments(request)).map(attachmentDetail) } };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/attachments/:id',
  since: NEW_ATTACH,
  summary: 'Show an attachment with its connection',
  async handle({ services, context, params }) {
    const attachment = await findAttachment(services.store, context, params.id!);
    return { status: 200, body: { attachment: attachmentDetail(attachment) } };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/attachments/:id',
  since: NEW_ATTACH,
  summary: "End a consumer's use of a volume; answers the attachments left",
  async handle({ services, context, params }) {
    const left = await deleteAttachment(services, context, params.id!);
    return { status: 200, body: { attachments: left.map(attachmentSummary) } };
  },
});

const complete = defineAction({
  name: 'os-complete',
  since: COMPLETION,
  summary: 'Say that the consumer uses the volume now',
  body: z.unknown(),
  async handle({ services, context, params }) {
    await completeAttachment(services, context, params.id!);
    return { status: 204 };
  },
});

export const attachmentRoutes: readonly Route[] = [
  list,
  listDetail,
  create,
  show,
  update,
  remove,
  actionRoute('/attachments/:id/action', 'Act on an attachment', [complete]),
];

const STRICT_FILTERS = 31;
const filterNames = ['volume_id', 'status', 'instance_id', 'attach_status'];
const sortKeys = { id: 'id', updated_at: 'updatedAt' } as const;

async function listAttachments({ services, context, version, query }: ApiRequest<unknown, QueryValues>) {
  const filters = readFilters(query, filterNames, version >= STRICT_FILTERS || context.isAdmin);
  const status = filters.attach_status ?? filters.status;
  const narrowed: AttachmentFilters = {
    ...(filters.volume_id === undefined ? {} : { volumeId: filters.volume_id }),
    ...(filters.instance_id === undefined ? {} : { instanceId: filters.instance_id }),
    ...(status === undefined ? {} : { attachStatus: status as AttachmentStatus }),
  };
  return services.store.attachments.list({
    projectId: context.isAdmin && query.all_tenants !== undefined ? null : context.projectId,
    filters: narrowed,
    sort: readSort(query, sortKeys),
    ...readPage(query, services.options.osapi_max_limit),
  });
}
