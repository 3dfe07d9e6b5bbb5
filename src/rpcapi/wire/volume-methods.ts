import type { WireTable } from './method.ts';
import { volumeMethodsRefused } from './volume-methods-refused.ts';

/** What may be asked of a volume service. */
export const volumeMethods = {
  attach_volume: {
    kind: 'call',
    versions: ['3.0', '3.3'],
    args: {
      volume_id: 'uuid',
      instance_uuid: 'uuid?',
      host_name: 'string?',
      mountpoint: 'string?',
      mode: 'string?',
      volume: { type: 'Volume?', default: null, since: '3.3' },
    },
    serve: { as: 'operation' },
  },
  attachment_delete: {
    kind: 'call',
    versions: ['3.9'],
    asserted: '3.9',
    args: { attachment_id: 'uuid', vref: 'Volume' },
    serve: { as: 'operation' },
  },
  attachment_update: {
    kind: 'call',
    versions: ['3.9'],
    asserted: '3.9',
    args: { vref: 'Volume', connector: 'json', attachment_id: 'uuid' },
    serve: { as: 'operation' },
  },
  create_snapshot: {
    kind: 'cast',
    versions: ['3.0'],
    args: { snapshot: 'Snapshot' },
    serve: { as: 'operation' },
  },
  create_volume: {
    kind: 'cast',
    versions: ['3.0'],
    args: {
      volume: 'Volume',
      request_spec: { type: 'any', default: null },
      filter_properties: { type: 'json?', default: null },
      allow_reschedule: { type: 'boolean', default: true },
    },
    serve: { as: 'operation' },
  },
  delete_snapshot: {
    kind: 'cast',
    versions: ['3.0'],
    args: { snapshot: 'Snapshot', unmanage_only: { type: 'boolean', default: false } },
    serve: { as: 'operation' },
  },
  delete_volume: {
    kind: 'cast',
    versions: ['3.0'],
    args: {
      volume: 'Volume',
      unmanage_only: { type: 'boolean', default: false },
      cascade: { type: 'boolean', default: false },
    },
    serve: { as: 'operation' },
  },
  detach_volume: {
    kind: 'call',
    versions: ['3.0', '3.4'],
    args: {
      volume_id: 'uuid',
      attachment_id: { type: 'uuid?', default: null },
      volume: { type: 'Volume?', default: null, since: '3.4' },
    },
    serve: { as: 'operation' },
  },
  extend_volume: {
    kind: 'cast',
    versions: ['3.0'],
    args: { volume: 'Volume', new_size: 'integer', reservations: 'any' },
    serve: { as: 'operation' },
  },
  freeze_host: {
    kind: 'call',
    versions: ['3.0'],
    args: {},
    serve: { as: 'direct' },
  },
  get_capabilities: {
    kind: 'call',
    versions: ['3.0'],
    args: { discover: 'boolean' },
    serve: { as: 'direct' },
  },
  initialize_connection: {
    kind: 'call',
    versions: ['3.0'],
    args: { volume: 'Volume', connector: 'json' },
    serve: { as: 'operation' },
  },
  publish_service_capabilities: {
    kind: 'fanout',
    versions: ['3.0'],
    args: {},
    serve: { as: 'direct' },
  },
  terminate_connection: {
    kind: 'call',
    versions: ['3.0'],
    args: { volume_id: 'uuid', connector: 'json?', force: { type: 'boolean', default: false } },
    serve: { as: 'operation' },
  },
  thaw_host: {
    kind: 'call',
    versions: ['3.0'],
    args: {},
    serve: { as: 'direct' },
  },
  ...volumeMethodsRefused,
} as const satisfies WireTable;
