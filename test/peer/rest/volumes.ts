/** Volumes: create, list, show, change, delete. */
import { type Answer, type Parity, UNKNOWN } from '../../support/parity.ts';
import { versions } from './versions.ts';

export const isSettled = ({ status, body }: Answer) =>
  status === 404 || ['available', 'in-use', 'error', 'reserved'].includes(body.volume?.status);
export const isGone = ({ status }: Answer) => status === 404;

/** Makes a volume on both, waits until it is there, and names it. */
export async function makeVolume(
  { ask, keep, settle }: Parity,
  name: string,
  volume: Readonly<Record<string, unknown>> = {},
  version = '3.70',
): Promise<void> {
  const made = await ask('POST', '/volumes', { volume: { size: 1, name, ...volume } }, { version, note: name });
  keep(name, made, (body) => body.volume.id);
  await settle(`/volumes/{${name}}`, isSettled);
}

export async function dropVolume({ ask, settle }: Parity, name: string): Promise<void> {
  await ask('DELETE', `/volumes/{${name}}`);
  await settle(`/volumes/{${name}}`, isGone);
}

export async function volumeLife(parity: Parity): Promise<void> {
  const { ask, settle } = parity;
  for (const version of versions) {
    const name = `at${version.replace('.', '')}`;
    await makeVolume(parity, name, { description: 'x', metadata: { version } }, version);
    await ask('GET', `/volumes/{${name}}`, undefined, { version });
    if (version !== '3.0' && version !== '3.70') await dropVolume(parity, name);
  }
  for (const version of versions) {
    for (const path of ['/volumes', '/volumes/detail', '/volumes/{at30}', '/volumes/summary']) {
      await ask('GET', path, undefined, { version });
    }
  }
  await makeVolume(parity, 'clone', { source_volid: '{at30}', size: undefined });
  await makeVolume(parity, 'larger', { source_volid: '{at30}', size: 2, availability_zone: 'nova' });
  await ask('GET', '/volumes/{larger}');
  await makeVolume(parity, 'unnamed', { name: undefined, size: '3', multiattach: false });
  await ask('PUT', '/volumes/{at30}', { volume: { name: 'new', description: 'words', metadata: { a: 'b' } } });
  await ask('GET', '/volumes/{at30}');
  for (const [note, body] of [
    ['empty', { volume: {} }],
    ['no key', {}],
    ['display names', { volume: { display_name: 'shown', display_description: 'text' } }],
    ['both names', { volume: { name: 'a', display_name: 'b' } }],
    ['null name', { volume: { name: null } }],
    ['empty name', { volume: { name: '' } }],
    ['number', { volume: { name: 7 } }],
    ['long', { volume: { name: 'n'.repeat(256) } }],
    ['unknown key', { volume: { size: 2 } }],
    ['spaces', { volume: { name: '  in the middle  ' } }],
    ['metadata null', { volume: { metadata: null } }],
    ['metadata number', { volume: { metadata: { a: 1 } } }],
    ['list', { volume: [] }],
    ['list for body', []],
  ] as const) {
    for (const version of ['3.0', '3.52', '3.53']) await ask('PUT', '/volumes/{at30}', body, { note, version });
  }
  await ask('PUT', `/volumes/${UNKNOWN}`, { volume: { name: 'x' } });
  await ask('GET', `/volumes/${UNKNOWN}`);
  await ask('GET', '/volumes/not-an-id');
  await ask('DELETE', `/volumes/${UNKNOWN}`);
  await ask('DELETE', '/volumes/not-an-id');
  await lists(parity);
  await volumeMetadata(parity);
  await dropVolume(parity, 'clone');
  for (const query of ['?cascade=true', '?force=true', '?cascade=maybe', '?force=maybe']) {
    for (const version of ['3.0', '3.23']) {
      await makeVolume(parity, 'gone');
      const { ours, theirs } = await ask('DELETE', `/volumes/{gone}${query}`, undefined, { version });
      if (ours.status !== 202 || theirs.status !== 202)
        await ask('DELETE', '/volumes/{gone}', undefined, { silent: true });
      await settle('/volumes/{gone}', isGone);
    }
  }
  for (const name of ['at30', 'at370', 'larger', 'unnamed']) await dropVolume(parity, name);
}

/** Filters that were heard only from some version on. */
const sensitive = /created_at=|~|with_count|consumes_quota|group_id|glance/;

async function lists({ ask }: Parity): Promise<void> {
  for (const query of [
    'limit=2',
    'limit=0',
    'limit=-1',
    'limit=x',
    'limit=',
    'limit=99999',
    'offset=1',
    'offset=-1',
    'offset=x',
    'limit=1&offset=1',
    'limit=2&marker={at30}',
    'marker={at370}&limit=1',
    `marker=${UNKNOWN}`,
    'marker=x',
    'sort=name',
    'sort=name:asc',
    'sort=size:desc,name:asc',
    'sort=name:sideways',
    'sort=nothing',
    'sort=',
    'sort_key=name&sort_dir=asc',
    'sort_dir=asc',
    'sort_dir=sideways',
    'sort=name&sort_key=name',
    'sort=host:asc,created_at:asc',
    'sort=metadata',
    'sort=created_at,updated_at',
    'name=clone',
    'name=none',
    'display_name=clone',
    'name~=lon',
    'status=available',
    'status=Available',
    'status=none',
    'size=2',
    'size=x',
    'bootable=false',
    'bootable=true',
    'bootable=0',
    'bootable=maybe',
    'metadata={"a":"b"}',
    "metadata={'a': 'b'}",
    'metadata=x',
    'availability_zone=nova',
    'availability_zone=x',
    'nothing=1',
    'id={at30}',
    'host=node@fake%23fake',
    'multiattach=false',
    'all_tenants=1',
    'all_tenants=0',
    'all_tenants=x',
    'project_id=x',
    `all_tenants=1&project_id=x`,
    'migration_status=none',
    'with_count=true',
    'with_count=true&limit=1',
    'with_count=x',
    'created_at=gt:2000-01-01',
    'created_at=lt:2000-01-01',
    'created_at=gt:x',
    'created_at=2000-01-01',
    'consumes_quota=true',
    'consumes_quota=false',
    'group_id=x',
    'glance_metadata={"a":"b"}',
    'volume_type=x',
    'attach_status=detached',
    'name=clone&name=larger',
  ]) {
    const plainQuery = query.replaceAll('"', '%22').replaceAll(' ', '%20');
    for (const version of sensitive.test(query) ? ['3.0', '3.33', '3.70'] : ['3.0', '3.70']) {
      await ask('GET', `/volumes?${plainQuery}`, undefined, { version });
    }
    await ask('GET', `/volumes/detail?${plainQuery}`);
    if (query.startsWith('with_count')) await ask('GET', `/volumes/detail?${query}`, undefined, { version: '3.45' });
  }
  for (const query of ['', '?all_tenants=1', '?all_tenants=x', '?name=clone', '?x=y']) {
    await ask('GET', `/volumes/summary${query}`);
  }
}

async function volumeMetadata({ ask }: Parity): Promise<void> {
  const path = '/volumes/{larger}/metadata';
  for (const version of ['3.0', '3.15', '3.70']) {
    await ask('GET', path, undefined, { version });
    await ask('POST', path, { metadata: { a: '1', b: '2' } }, { version });
    await ask('GET', `${path}/a`, undefined, { version });
    await ask('PUT', `${path}/a`, { meta: { a: 'new' } }, { version });
    await ask('GET', path, undefined, { version });
    await ask('PUT', path, { metadata: { only: 'this' } }, { version });
    await ask('DELETE', `${path}/only`, undefined, { version });
    await ask('DELETE', `${path}/only`, undefined, { version, note: 'again' });
  }
  for (const [note, body] of [
    ['no key', {}],
    ['null', { metadata: null }],
    ['list', { metadata: [] }],
    ['number', { metadata: { a: 1 } }],
    ['null value', { metadata: { a: null } }],
    ['empty', { metadata: {} }],
    ['empty key', { metadata: { '': 'x' } }],
    ['long key', { metadata: { ['k'.repeat(256)]: 'x' } }],
    ['long value', { metadata: { a: 'v'.repeat(256) } }],
    ['more', { metadata: { a: 'b' }, other: 1 }],
    ['odd key', { metadata: { 'a*b': 'c' } }],
    ['unicode', { metadata: { ключ: 'c' } }],
  ] as const) {
    await ask('POST', path, body, { note });
    await ask('PUT', path, body, { note });
  }
  for (const [note, body] of [
    ['another key', { meta: { b: 'x' } }],
    ['two keys', { meta: { a: 'x', b: 'x' } }],
    ['no key', {}],
    ['metadata', { metadata: { a: 'x' } }],
    ['number', { meta: { a: 5 } }],
  ] as const) {
    await ask('PUT', `${path}/a`, body, { note });
  }
  await ask('GET', `${path}/none`);
  await ask('GET', `/volumes/${UNKNOWN}/metadata`);
  await ask('POST', `/volumes/${UNKNOWN}/metadata`, { metadata: { a: 'b' } });
  await ask('DELETE', `/volumes/${UNKNOWN}/metadata/a`);
}
