/** Collections that clients read although nothing can be in them yet. */
import { failure } from '../../model/errors.ts';
import { defineRoute, type Microversion, type Route } from '../route.ts';

const DEFAULT_TYPES = 62;

interface EmptyCollection {
  readonly path: string;
  /** The answer's key. */
  readonly key: string;
  /** What people call it. */
  readonly name: string;
  readonly since?: Microversion;
  readonly admin?: true;
  /** Whether there is a list with details. */
  readonly detail?: true;
}

const collections: readonly EmptyCollection[] = [
  { path: '/qos-specs', key: 'qos_specs', name: 'QoS specs', admin: true },
  { path: '/clusters', key: 'clusters', name: 'clusters', since: 7, admin: true, detail: true },
  { path: '/group_types', key: 'group_types', name: 'group types', since: 11 },
  { path: '/groups', key: 'groups', name: 'groups', since: 13, detail: true },
  { path: '/group_snapshots', key: 'group_snapshots', name: 'group snapshots', since: 14, detail: true },
  { path: '/consistencygroups', key: 'consistencygroups', name: 'consistency groups', detail: true },
  { path: '/cgsnapshots', key: 'cgsnapshots', name: 'snapshots of consistency groups', detail: true },
  { path: '/backups', key: 'backups', name: 'backups', detail: true },
  { path: '/os-volume-transfer', key: 'transfers', name: 'transfers', detail: true },
  { path: '/volume-transfers', key: 'transfers', name: 'transfers', since: 55, detail: true },
];

function listOf({ path, key, name, since, admin, detail }: EmptyCollection): Route[] {
  const list = defineRoute({
    method: 'GET',
    path,
    ...(since === undefined ? {} : { since }),
    ...(admin === undefined ? {} : { admin }),
    summary: `List ${name}: there are none yet`,
    async handle() {
      return { status: 200, body: { [key]: [] } };
    },
  });
  return detail === true ? [list, { ...list, path: `${path}/detail` }] : [list];
}

const defaultTypes = defineRoute({
  method: 'GET',
  path: '/default-types',
  since: DEFAULT_TYPES,
  admin: true,
  summary: 'List the default types that projects have of their own: there are none yet',
  async handle() {
    return { status: 200, body: { default_types: [] } };
  },
});

const defaultType = defineRoute({
  method: 'GET',
  path: '/default-types/:id',
  since: DEFAULT_TYPES,
  admin: true,
  summary: 'Show the default type of a project: none has one of its own yet',
  async handle({ params }) {
    throw failure('VolumeTypeProjectDefaultNotFound', { projectId: params.id! });
  },
});

export const emptyCollectionRoutes: readonly Route[] = [...collections.flatMap(listOf), defaultTypes, defaultType];
