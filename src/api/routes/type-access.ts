/** Which projects may use a private volume type. */
import { z } from 'zod';
import { failure } from '../../model/errors.ts';
import { actionRoute } from '../action-route.ts';
import { text } from '../body.ts';
import { addTypeAccess, removeTypeAccess } from '../requests/change-type-access.ts';
import { findVolumeType } from '../requests/find.ts';
import { defineAction, defineRoute, type Route } from '../route.ts';

const body = z.strictObject({ project: text().refine((project) => project !== '', 'must not be empty') });

const list = defineRoute({
  method: 'GET',
  path: '/types/:type_id/os-volume-type-access',
  admin: true,
  summary: 'List the projects that may use a private volume type',
  async handle({ services, context, params }) {
    const id = params.type_id!;
    const type = await findVolumeType(services.store, context, id);
    if (type.isPublic) throw failure('NotFound', { reason: `Volume type ${id} is public: it has no access list.` });
    const projects = await services.store.types.listAccess(id);
    const access = projects.map((project_id) => ({ volume_type_id: id, project_id }));
    return { status: 200, body: { volume_type_access: access } };
  },
});

const add = defineAction({
  name: 'addProjectAccess',
  admin: true,
  summary: 'Let a project use a private volume type',
  body,
  async handle({ services, context, params, body: { project } }) {
    await addTypeAccess(services, context, params.id!, project);
    return { status: 202 };
  },
});

const remove = defineAction({
  name: 'removeProjectAccess',
  admin: true,
  summary: 'No longer let a project use a private volume type',
  body,
  async handle({ services, context, params, body: { project } }) {
    await removeTypeAccess(services, context, params.id!, project);
    return { status: 202 };
  },
});

export const typeAccessRoutes: readonly Route[] = [
  list,
  actionRoute('/types/:id/action', 'Act on a volume type', [add, remove]),
];
