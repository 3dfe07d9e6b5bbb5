/** Hosts: the older view of services, and what each volume service holds. */
import { failure } from '../../model/errors.ts';
import { listQuery } from '../list-query.ts';
import { summarizeHost } from '../requests/summarize-host.ts';
import { defineRoute, type Route } from '../route.ts';
import { hostResourceView, hostView, VOLUME_BINARY } from '../views/service.ts';

const list = defineRoute({
  method: 'GET',
  path: '/os-hosts',
  admin: true,
  summary: 'List enabled services by host',
  query: listQuery,
  async handle({ services, query }) {
    const enabled = (await services.store.services.list()).filter(({ disabled }) => !disabled);
    const asked = enabled.filter(({ availabilityZone }) => !query.zone || availabilityZone === query.zone);
    const hosts = asked.map((service) => hostView(service, services.options.service_down_time));
    return { status: 200, body: { hosts } };
  },
});

const show = defineRoute({
  method: 'GET',
  path: '/os-hosts/:host',
  admin: true,
  summary: 'Show what a volume service holds, in all and per project',
  async handle({ services: { store }, params }) {
    const host = params.host!;
    if ((await store.services.get(host, VOLUME_BINARY)) === null) throw failure('HostNotFound', { host });
    const { total, byProject } = await summarizeHost(store, host);
    const projects = [...byProject].map(([project, held]) => hostResourceView(host, project, held));
    return { status: 200, body: { host: [hostResourceView(host, '(total)', total), ...projects] } };
  },
});

export const hostRoutes: readonly Route[] = [list, show];
