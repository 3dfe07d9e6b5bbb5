/** Extra specs of volume types: what a type asks of a backend. */
import { z } from 'zod';
import { failure } from '../../model/errors.ts';
import { text } from '../body.ts';
import { deleteExtraSpec, setExtraSpecs } from '../requests/change-extra-specs.ts';
import { findVolumeType } from '../requests/find.ts';
import { defineRoute, type Route } from '../route.ts';
import { visibleExtraSpecs } from '../views/volume-type.ts';

const specs = z.record(
  z.string().regex(/^[a-zA-Z0-9\-_:.]{1,255}$/, 'a key has 1 to 255 letters, digits, or of -_:.'),
  text()
    .nullable()
    .transform((value) => value ?? ''),
);

const list = defineRoute({
  method: 'GET',
  path: '/types/:type_id/extra_specs',
  summary: "List a volume type's extra specs",
  async handle({ services, context, params }) {
    const type = await findVolumeType(services.store, context, params.type_id!);
    return { status: 200, body: { extra_specs: visibleExtraSpecs(type, context) } };
  },
});

const create = defineRoute({
  method: 'POST',
  path: '/types/:type_id/extra_specs',
  admin: true,
  summary: 'Add or replace extra specs',
  body: z.strictObject({ extra_specs: specs }),
  async handle({ services, context, params, body }) {
    await setExtraSpecs(services, context, params.type_id!, body.extra_specs);
    return { status: 200, body };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/types/:type_id/extra_specs/:key',
  summary: 'Show one extra spec',
  async handle({ services, context, params: { type_id: id, key } }) {
    const visible = visibleExtraSpecs(await findVolumeType(services.store, context, id!), context);
    if (!Object.hasOwn(visible, key!)) throw failure('VolumeTypeExtraSpecsNotFound', { id: id!, key: key! });
    return { status: 200, body: { [key!]: visible[key!] } };
  },
});

const update = defineRoute({
  method: 'PUT',
  path: '/types/:type_id/extra_specs/:key',
  admin: true,
  summary: 'Replace one extra spec',
  body: specs.refine((body) => Object.keys(body).length === 1, 'must hold exactly one extra spec'),
  async handle({ services, context, params: { type_id: id, key }, body }) {
    if (!Object.hasOwn(body, key!)) {
      throw failure('InvalidInput', { reason: `the URL names the extra spec ${key}, the body another one.` });
    }
    await setExtraSpecs(services, context, id!, body);
    return { status: 200, body };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/types/:type_id/extra_specs/:key',
  admin: true,
  summary: 'Delete one extra spec',
  async handle({ services, context, params }) {
    await deleteExtraSpec(services, context, params.type_id!, params.key!);
    return { status: 202 };
  },
});

export const extraSpecRoutes: readonly Route[] = [list, create, show, update, remove];
