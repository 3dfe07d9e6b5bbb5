/** Services, pools, limits, quotas, zones, messages, and collections that are empty. */
import { type Parity, PROJECT, UNKNOWN } from '../../support/parity.ts';
import { versions } from './versions.ts';

export async function admin(parity: Parity): Promise<void> {
  const { ask } = parity;
  for (const version of versions) {
    for (const path of [
      '/os-services',
      '/os-services?binary=cinder-volume',
      '/scheduler-stats/get_pools',
      '/scheduler-stats/get_pools?detail=true',
      '/limits',
      `/os-quota-sets/${PROJECT}`,
      '/os-availability-zone',
      '/messages',
      '/resource_filters',
      '/clusters',
      '/group_types',
      '/groups/detail',
      '/group_snapshots/detail',
      '/default-types',
      '/os-hosts',
    ]) {
      await ask('GET', path, undefined, { version });
    }
  }
  for (const path of [
    '/os-services?host=node',
    '/os-services?host=node@fake',
    '/os-services?host=none',
    '/os-services?service=cinder-volume',
    '/os-services?x=y',
    '/scheduler-stats/get_pools?detail=x',
    '/scheduler-stats/get_pools?detail=false',
    '/scheduler-stats/get_pools?name=none',
    '/scheduler-stats/get_pools?name=node@fake%23fake',
    '/scheduler-stats/get_pools?x=y',
    '/os-hosts/node@fake',
    '/os-hosts/none',
    '/capabilities/node@fake',
    '/capabilities/none',
    '/os-quota-class-sets/default',
    `/os-quota-sets/${PROJECT}/defaults`,
    `/os-quota-sets/${PROJECT}?usage=true`,
    `/os-quota-sets/${PROJECT}?usage=x`,
    '/os-quota-sets/fedcba?usage=false',
    '/limits?project_id=fedcba',
    '/messages?limit=1',
    `/messages/${UNKNOWN}`,
    '/messages/x',
    '/resource_filters?resource=volume',
    '/resource_filters?resource=x',
    '/backups',
    '/backups/detail',
    `/backups/${UNKNOWN}`,
    '/groups',
    '/group_snapshots',
    '/os-volume-transfer',
    '/os-volume-transfer/detail',
    '/volume-transfers',
    '/volume-transfers/detail',
    '/qos-specs',
    '/consistencygroups',
    '/cgsnapshots',
    '/os-volume-manage?host=node@fake',
    '/os-snapshot-manage?host=node@fake',
    '/manageable_volumes?host=node@fake%23fake',
    '/manageable_snapshots?host=node@fake%23fake',
    '/workers',
    '/types?all=1',
    `/default-types/${PROJECT}`,
  ]) {
    await ask('GET', path);
  }
  for (const path of ['/v3/default-types', `/v3/default-types/${PROJECT}`]) {
    await ask('GET', path, undefined, { absolute: true });
  }
  await quotaSets(parity);
  await services(parity);
  await ask('DELETE', `/messages/${UNKNOWN}`);
}

async function quotaSets({ ask }: Parity): Promise<void> {
  for (const body of [
    { quota_set: { volumes: 20 } },
    { quota_set: { volumes: -1, gigabytes: 5000 } },
    { quota_set: { volumes: -2 } },
    { quota_set: { volumes: 'x' } },
    { quota_set: { volumes: '7' } },
    { quota_set: { volumes: 1.5 } },
    { quota_set: { volumes: 2 ** 31 } },
    { quota_set: { nothing: 1 } },
    { quota_set: { tenant_id: 'x', volumes: 5 } },
    { quota_set: {} },
    {},
    { quota_set: { per_volume_gigabytes: 100, groups: 3, backups: 4, backup_gigabytes: 5, snapshots: 6 } },
    { quota_set: { gigabytes___DEFAULT__: 10 } },
    { quota_set: { gigabytes_nothing: 10 } },
  ]) {
    await ask('PUT', '/os-quota-sets/fedcba', body, { note: JSON.stringify(body) });
  }
  for (const path of ['/os-quota-sets/fedcba', '/os-quota-sets/fedcba?usage=true', '/os-quota-sets/fedcba/defaults']) {
    await ask('GET', path, undefined, { note: 'changed' });
  }
  await ask('DELETE', '/os-quota-sets/fedcba');
  await ask('GET', '/os-quota-sets/fedcba', undefined, { note: 'reset' });
}

async function services({ ask }: Parity): Promise<void> {
  const host = 'node@fake';
  const binary = 'cinder-volume';
  for (const [action, body] of [
    ['disable', { host, binary }],
    ['enable', { host, binary }],
    ['disable-log-reason', { host, binary, disabled_reason: 'because' }],
    ['disable-log-reason', { host, binary }],
    ['disable-log-reason', { host, binary, disabled_reason: '' }],
    ['disable-log-reason', { host, binary, disabled_reason: '  ' }],
    ['disable-log-reason', { host, binary, disabled_reason: 'r'.repeat(300) }],
    ['enable', { host, binary }],
    ['enable', { host }],
    ['enable', { binary }],
    ['enable', { host, binary, x: 1 }],
    ['enable', {}],
    ['enable', { host: 'none', binary }],
    ['enable', { host, binary: 'none' }],
    ['enable', { host, service: binary }],
    ['nothing', { host, binary }],
    ['freeze', { host }],
    ['thaw', { host }],
    ['freeze', { host: 'none' }],
    ['freeze', {}],
    ['get-log', { binary: 'cinder-nothing' }],
    ['set-log', { level: 'x' }],
  ] as const) {
    for (const version of ['3.0', '3.70']) {
      await ask('PUT', `/os-services/${action}`, body, { version, note: JSON.stringify(body).slice(0, 70) });
    }
    await ask('GET', '/os-services', undefined, { note: `after ${action}` });
  }
}
