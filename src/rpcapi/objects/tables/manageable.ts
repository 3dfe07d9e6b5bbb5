import type { ObjectTable } from '../field.ts';

export const manageableObjects = {
  ManageableVolume: {
    version: '1.0',
    fields: {
      reference: 'nullable-strings',
      size: 'integer?',
      safe_to_manage: 'boolean?',
      reason_not_safe: 'string?',
      cinder_id: 'uuid?',
      extra_info: 'nullable-strings?',
    },
  },
  ManageableVolumeList: { version: '1.0', fields: { objects: '[ManageableVolume]' } },
  ManageableSnapshot: {
    version: '1.0',
    fields: {
      source_reference: 'nullable-strings',
      reference: 'nullable-strings',
      size: 'integer?',
      safe_to_manage: 'boolean?',
      reason_not_safe: 'string?',
      cinder_id: 'uuid?',
      extra_info: 'nullable-strings?',
    },
  },
  ManageableSnapshotList: { version: '1.0', fields: { objects: '[ManageableSnapshot]' } },
} as const satisfies ObjectTable;
