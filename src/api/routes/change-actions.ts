/** Actions on a volume beside attaching: os-extend, os-set_bootable, os-reset_status and others. */
import { z } from 'zod';
import type { VolumeStatus } from '../../model/status.ts';
import { booleanWord, sizeGb } from '../body.ts';
import { deleteVolume } from '../requests/delete-volume.ts';
import { extendVolume } from '../requests/extend-volume.ts';
import { resetVolumeStatus } from '../requests/reset-volume-status.ts';
import { updateReadonly, updateVolume } from '../requests/update-volume.ts';
import { type Action, defineAction } from '../route.ts';

const extend = defineAction({
  name: 'os-extend',
  summary: 'Make a volume larger',
  body: z.strictObject({ new_size: sizeGb }),
  async handle({ services, context, params, body, version }) {
    await extendVolume(services, context, params.id!, body.new_size, version);
    return { status: 202 };
  },
});

const setBootable = defineAction({
  name: 'os-set_bootable',
  summary: 'Say whether a volume can be booted from',
  body: z.strictObject({ bootable: booleanWord }),
  async handle({ services, context, params, body }) {
    await updateVolume(services, context, params.id!, { bootable: body.bootable });
    return { status: 200 };
  },
});

const updateReadonlyFlag = defineAction({
  name: 'os-update_readonly_flag',
  summary: 'Say whether consumers may only read a volume',
  body: z.strictObject({ readonly: booleanWord }),
  async handle({ services, context, params, body }) {
    await updateReadonly(services, context, params.id!, body.readonly);
    return { status: 202 };
  },
});

const statuses = [
  'creating',
  'available',
  'deleting',
  'error',
  'error_deleting',
  'error_managing',
  'managing',
  'attaching',
  'in-use',
  'detaching',
  'maintenance',
  'restoring-backup',
  'error_restoring',
  'reserved',
  'awaiting-transfer',
  'backing-up',
  'error_backing-up',
  'error_extending',
  'downloading',
  'uploading',
  'retyping',
  'extending',
] as const satisfies readonly VolumeStatus[];

const resetStatus = defineAction({
  name: 'os-reset_status',
  admin: true,
  summary: 'Say what status a volume has; nothing is done to it',
  body: z
    .strictObject({
      status: z.string().toLowerCase().pipe(z.enum(statuses)).nullish(),
      attach_status: z
        .string()
        .toLowerCase()
        .pipe(z.enum(['attached', 'detached']))
        .nullish(),
      migration_status: z
        .string()
        .toLowerCase()
        .pipe(z.enum(['migrating', 'error', 'success', 'completing', 'none', 'starting']))
        .nullish(),
    })
    .refine(
      (body) => Boolean(body.status || body.attach_status || body.migration_status),
      'say status, attach_status or migration_status',
    ),
  async handle({ services, context, params, body }) {
    const { status, attach_status: attachStatus, migration_status: migration } = body;
    await resetVolumeStatus(services, context, params.id!, {
      ...(status ? { status } : {}),
      ...(attachStatus ? { attachStatus } : {}),
      ...(migration ? { migrationStatus: migration === 'none' ? null : migration } : {}),
    });
    return { status: 202 };
  },
});

const forceDelete = defineAction({
  name: 'os-force_delete',
  admin: true,
  summary: 'Delete a volume in whatever status it is, unless it is attached',
  body: z.unknown(),
  async handle({ services, context, params }) {
    await deleteVolume(services, context, params.id!, { cascade: false, force: true });
    return { status: 202 };
  },
});

export const changeActions: readonly Action[] = [extend, setBootable, updateReadonlyFlag, resetStatus, forceDelete];
