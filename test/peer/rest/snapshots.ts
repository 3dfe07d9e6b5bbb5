/** Snapshots: create, list, show, change, delete, actions. */
import { type Answer, type Parity, UNKNOWN } from '../../support/parity.ts';
import { versions } from './versions.ts';
import { dropVolume, isGone, makeVolume } from './volumes.ts';

const isThere = ({ status, body }: Answer) => status === 404 || ['available', 'error'].includes(body.snapshot?.status);

export async function makeSnapshot(
  { ask, keep, settle }: Parity,
  name: string,
  snapshot: Readonly<Record<string, unknown>>,
  version = '3.70',
): Promise<void> {
  const made = await ask('POST', '/snapshots', { snapshot: { name, ...snapshot } }, { version, note: name });
  keep(name, made, (body) => body.snapshot.id);
  await settle(`/snapshots/{${name}}`, isThere);
}

export async function dropSnapshot({ ask, settle }: Parity, name: string): Promise<void> {
  await ask('DELETE', `/snapshots/{${name}}`);
  await settle(`/snapshots/{${name}}`, isGone);
}

export async function snapshots(parity: Parity): Promise<void> {
  const { ask } = parity;
  await makeVolume(parity, 'sv');
  for (const version of versions) {
    await makeSnapshot(parity, 'snap', { volume_id: '{sv}', description: 'd', metadata: { k: 'v' } }, version);
    await ask('GET', '/snapshots/{snap}', undefined, { version });
    await ask('GET', '/snapshots', undefined, { version });
    await ask('GET', '/snapshots/detail', undefined, { version });
    await ask('PUT', '/snapshots/{snap}', { snapshot: { name: 'new', description: 'words' } }, { version });
    await dropSnapshot(parity, 'snap');
  }
  await makeSnapshot(parity, 'one', { volume_id: '{sv}' });
  await makeSnapshot(parity, 'two', { volume_id: '{sv}', metadata: { a: 'b' } });
  await ask('DELETE', '/volumes/{sv}', undefined, { note: 'has snapshots' });
  await ask('POST', '/volumes/{sv}/action', { 'os-force_delete': {} }, { note: 'has snapshots' });
  await lists(parity);
  await badSnapshots(parity);
  await snapshotMetadata(parity);
  await snapshotActions(parity);
  await makeVolume(parity, 'from', { snapshot_id: '{one}', size: undefined });
  await ask('GET', '/volumes/{from}');
  await makeVolume(parity, 'fromlarger', { snapshot_id: '{one}', size: 2 });
  await ask('POST', '/volumes', { volume: { snapshot_id: '{one}', source_volid: '{sv}' } }, { note: 'two sources' });
  await ask('GET', '/snapshots/{one}', undefined, { note: 'with volumes made of it' });
  await ask('GET', '/limits');
  await dropVolume(parity, 'from');
  await dropVolume(parity, 'fromlarger');
  await dropSnapshot(parity, 'one');
  await ask('DELETE', '/volumes/{sv}?cascade=true');
  await parity.settle('/volumes/{sv}', isGone);
  await ask('GET', '/snapshots/{two}', undefined, { note: 'deleted with its volume' });
}

async function lists({ ask }: Parity): Promise<void> {
  for (const query of [
    'limit=1',
    'limit=0',
    'limit=-1',
    'offset=1',
    'marker={one}',
    `marker=${UNKNOWN}`,
    'sort=name:asc',
    'sort=name:x',
    'sort=nothing',
    'sort_key=name&sort_dir=asc',
    'name=one',
    'name~=on',
    'status=available',
    'status=x',
    'volume_id={sv}',
    `volume_id=${UNKNOWN}`,
    'volume_id=x',
    'metadata={"a":"b"}',
    'availability_zone=nova',
    'consumes_quota=true',
    'all_tenants=1',
    'all_tenants=x',
    'nothing=1',
    'with_count=true',
    'created_at=gt:2000-01-01',
    'project_id=x',
  ]) {
    const plainQuery = query.replaceAll('"', '%22');
    for (const version of ['3.0', '3.70']) {
      await ask('GET', `/snapshots?${plainQuery}`, undefined, { version });
    }
    await ask('GET', `/snapshots/detail?${plainQuery}`);
  }
}

async function badSnapshots(parity: Parity): Promise<void> {
  const { ask, keep, settle } = parity;
  for (const [note, body] of [
    ['no key', {}],
    ['empty', { snapshot: {} }],
    ['null', { snapshot: null }],
    ['text', { snapshot: 'x' }],
    ['unknown volume', { snapshot: { volume_id: UNKNOWN } }],
    ['malformed volume', { snapshot: { volume_id: 'x' } }],
    ['null volume', { snapshot: { volume_id: null } }],
    ['name of 300', { snapshot: { volume_id: '{sv}', name: 'n'.repeat(300) } }],
    ['name number', { snapshot: { volume_id: '{sv}', name: 4 } }],
    ['name null', { snapshot: { volume_id: '{sv}', name: null } }],
    ['name spaces', { snapshot: { volume_id: '{sv}', name: '  a ' } }],
    ['display name', { snapshot: { volume_id: '{sv}', display_name: 'shown' } }],
    ['display description', { snapshot: { volume_id: '{sv}', display_description: 'shown' } }],
    ['description number', { snapshot: { volume_id: '{sv}', description: 5 } }],
    ['unknown key', { snapshot: { volume_id: '{sv}', colour: 'red' } }],
    ['key beside', { snapshot: { volume_id: '{sv}' }, colour: 'red' }],
    ['metadata null', { snapshot: { volume_id: '{sv}', metadata: null } }],
    ['metadata number', { snapshot: { volume_id: '{sv}', metadata: { a: 1 } } }],
    ['metadata list', { snapshot: { volume_id: '{sv}', metadata: [] } }],
    ['force true', { snapshot: { volume_id: '{sv}', force: true } }],
    ['force false', { snapshot: { volume_id: '{sv}', force: false } }],
    ['force "true"', { snapshot: { volume_id: '{sv}', force: 'true' } }],
    ['force maybe', { snapshot: { volume_id: '{sv}', force: 'maybe' } }],
    ['force null', { snapshot: { volume_id: '{sv}', force: null } }],
  ] as const) {
    for (const version of note.startsWith('force') ? ['3.65', '3.66'] : ['3.66']) {
      const made = await ask('POST', '/snapshots', body, { note, version });
      if (made.ours.status !== 202 && made.theirs.status !== 202) continue;
      keep('odd', made, (answer) => answer.snapshot.id);
      await settle('/snapshots/{odd}', isThere);
      await ask('DELETE', '/snapshots/{odd}', undefined, { silent: true });
      await settle('/snapshots/{odd}', isGone);
    }
  }
  for (const [note, body] of [
    ['no key', {}],
    ['empty', { snapshot: {} }],
    ['display name', { snapshot: { display_name: 'shown' } }],
    ['long', { snapshot: { name: 'n'.repeat(300) } }],
    ['number', { snapshot: { name: 1 } }],
    ['null', { snapshot: { name: null } }],
    ['unknown key', { snapshot: { size: 1 } }],
    ['description null', { snapshot: { description: null } }],
  ] as const) {
    await ask('PUT', '/snapshots/{one}', body, { note });
  }
  await ask('PUT', `/snapshots/${UNKNOWN}`, { snapshot: { name: 'x' } });
  await ask('GET', `/snapshots/${UNKNOWN}`);
  await ask('GET', '/snapshots/x');
  await ask('DELETE', `/snapshots/${UNKNOWN}`);
}

async function snapshotMetadata({ ask }: Parity): Promise<void> {
  const path = '/snapshots/{two}/metadata';
  await ask('GET', path);
  await ask('POST', path, { metadata: { c: 'd' } });
  await ask('GET', `${path}/c`);
  await ask('GET', `${path}/none`);
  await ask('PUT', `${path}/c`, { meta: { c: 'new' } });
  await ask('PUT', `${path}/c`, { meta: { d: 'new' } });
  await ask('PUT', path, { metadata: { only: 'this' } });
  await ask('DELETE', `${path}/only`);
  await ask('DELETE', `${path}/only`, undefined, { note: 'again' });
  await ask('POST', path, { metadata: { a: 5 } });
  await ask('POST', path, {});
  await ask('GET', `/snapshots/${UNKNOWN}/metadata`);
  await ask('GET', '/snapshots/{two}');
}

async function snapshotActions({ ask, settle }: Parity): Promise<void> {
  for (const body of [
    { 'os-reset_status': { status: 'error' } },
    { 'os-reset_status': { status: 'available' } },
    { 'os-reset_status': { status: 'AVAILABLE' } },
    { 'os-reset_status': { status: 'nonsense' } },
    { 'os-reset_status': {} },
    { 'os-reset_status': { status: null } },
    { 'os-update_snapshot_status': { status: 'available' } },
    { 'os-update_snapshot_status': { status: 'error' } },
    { 'os-update_snapshot_status': { status: 'creating' } },
    { 'os-update_snapshot_status': { status: 'creating', progress: '50%' } },
    { nothing: {} },
    {},
  ]) {
    await ask('POST', '/snapshots/{two}/action', body, { note: JSON.stringify(body) });
    await ask('GET', '/snapshots/{two}', undefined, { note: `after ${JSON.stringify(body)}` });
  }
  await ask('POST', '/snapshots/{two}/action', { 'os-reset_status': { status: 'available' } });
  await ask('POST', `/snapshots/${UNKNOWN}/action`, { 'os-reset_status': { status: 'error' } });
  await ask('POST', `/snapshots/${UNKNOWN}/action`, { 'os-force_delete': {} });
  await ask('POST', `/snapshots/${UNKNOWN}/action`, { 'os-unmanage': {} });
  await settle('/snapshots/{two}', isThere);
}
