/** Collections that clients read although nothing can be in them yet. */
import { failure } from '../../model/errors.ts';
import { defineRoute, type Route } from '../route.ts';

const CLUSTERS = 7;
const GROUP_TYPES = 11;
const DEFAULT_TYPES = 62;

const qosSpecs = defineRoute({
  method: 'GET',
  path: '/qos-specs',
  admin: true,
  summary: 'List QoS specs: there are none yet',
  async handle() {
    return { status: 200, body: { qos_specs: [] } };
  },
});

const groupTypes = defineRoute({
  method: 'GET',
  path: '/group_types',
  since: GROUP_TYPES,
  summary: 'List group types: there are none yet',
  async handle() {
    return { status: 200, body: { group_types: [] } };
  },
});

const clusters = defineRoute({
  method: 'GET',
  path: '/clusters',
  since: CLUSTERS,
  admin: true,
  summary: 'List clusters: there are none yet',
  async handle() {
    return { status: 200, body: { clusters: [] } };
  },
});

const clustersDetail = defineRoute({ ...clusters, path: '/clusters/detail' });

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

export const emptyCollectionRoutes: readonly Route[] = [
  qosSpecs,
  groupTypes,
  clusters,
  clustersDetail,
  defaultTypes,
  defaultType,
];
