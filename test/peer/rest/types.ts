/** Volume types, their extra specs and who may use them. */
import { type Parity, UNKNOWN } from '../../support/parity.ts';
import { versions } from './versions.ts';
import { dropVolume, makeVolume } from './volumes.ts';

export async function types(parity: Parity): Promise<void> {
  const { ask, keep } = parity;
  for (const version of versions) await ask('GET', '/types', undefined, { version });
  await ask('GET', '/types/default');
  const made = await ask('POST', '/types', {
    volume_type: { name: 'gold', description: 'd', extra_specs: { a: 'b' } },
  });
  keep('gold', made, (body) => body.volume_type.id);
  for (const version of versions) await ask('GET', '/types/{gold}', undefined, { version });
  const hidden = await ask('POST', '/types', {
    volume_type: { name: 'hidden', 'os-volume-type-access:is_public': false },
  });
  keep('hidden', hidden, (body) => body.volume_type.id);
  await ask('GET', '/types/{hidden}');
  await badTypes(parity);
  for (const query of [
    'is_public=true',
    'is_public=false',
    'is_public=None',
    'is_public=x',
    'limit=1',
    'limit=0',
    'sort=name:asc',
    'sort=x',
    'sort_key=name&sort_dir=asc',
    'marker={gold}',
    `marker=${UNKNOWN}`,
    'offset=1',
    'extra_specs={"a":"b"}',
    'name=gold',
    'nothing=1',
  ]) {
    const plainQuery = query.replaceAll('"', '%22');
    for (const version of ['3.0', '3.70']) await ask('GET', `/types?${plainQuery}`, undefined, { version });
  }
  for (const body of [
    { volume_type: { name: 'silver' } },
    { volume_type: { name: 'gold', description: 'other' } },
    { volume_type: { description: null } },
    { volume_type: { is_public: false } },
    { volume_type: { is_public: true } },
    { volume_type: { is_public: 'x' } },
    { volume_type: { name: 'hidden' } },
    { volume_type: { name: '' } },
    { volume_type: { name: 'n'.repeat(300) } },
    { volume_type: {} },
    { volume_type: { x: 1 } },
    {},
  ]) {
    await ask('PUT', '/types/{gold}', body, { note: JSON.stringify(body).slice(0, 60) });
  }
  await ask('GET', '/types/{gold}');
  for (const id of [UNKNOWN, 'x', 'gold']) {
    await ask('GET', `/types/${id}`);
    await ask('PUT', `/types/${id}`, { volume_type: { name: 'y' } });
    await ask('DELETE', `/types/${id}`);
    await ask('GET', `/types/${id}/extra_specs`);
    await ask('GET', `/types/${id}/os-volume-type-access`);
  }
  await extraSpecs(parity);
  await access(parity);
  await makeVolume(parity, 'typed', { volume_type: 'gold' });
  for (const version of versions) await ask('GET', '/volumes/{typed}', undefined, { version });
  await ask('DELETE', '/types/{gold}', undefined, { note: 'in use' });
  await ask('POST', '/types/{gold}/extra_specs', { extra_specs: { x: 'y' } }, { note: 'in use' });
  await ask('DELETE', '/types/{gold}/extra_specs/a', undefined, { note: 'in use' });
  await ask('PUT', '/types/{gold}', { volume_type: { description: 'in use' } });
  await dropVolume(parity, 'typed');
  await ask('GET', '/types/{gold}/encryption');
  await ask('GET', '/types/{gold}/encryption/cipher');
  await ask('DELETE', '/types/{gold}');
  await ask('DELETE', '/types/{gold}', undefined, { note: 'again' });
  await ask('DELETE', '/types/{hidden}');
  const list = await ask('GET', '/types');
  keep('usual', list, (body) => body.volume_types[0].id);
  await ask('DELETE', '/types/{usual}', undefined, { note: 'the default' });
}

async function badTypes({ ask, keep }: Parity): Promise<void> {
  for (const [note, body] of [
    ['no key', {}],
    ['empty', { volume_type: {} }],
    ['null', { volume_type: null }],
    ['taken', { volume_type: { name: 'gold' } }],
    ['no name', { volume_type: { description: 'x' } }],
    ['empty name', { volume_type: { name: '' } }],
    ['blank name', { volume_type: { name: '  ' } }],
    ['long name', { volume_type: { name: 'n'.repeat(256) } }],
    ['number', { volume_type: { name: 5 } }],
    ['unknown key', { volume_type: { name: 'bad1', x: 1 } }],
    ['key beside', { volume_type: { name: 'bad2' }, x: 1 }],
    ['null specs', { volume_type: { name: 'bad3', extra_specs: null } }],
    ['number spec', { volume_type: { name: 'bad4', extra_specs: { a: 1 } } }],
    ['null spec', { volume_type: { name: 'bad5', extra_specs: { a: null } } }],
    ['odd spec', { volume_type: { name: 'bad6', extra_specs: { 'a*b': 'x' } } }],
    ['public text', { volume_type: { name: 'bad7', 'os-volume-type-access:is_public': 'yes' } }],
    ['public x', { volume_type: { name: 'bad8', 'os-volume-type-access:is_public': 'x' } }],
    ['description null', { volume_type: { name: 'bad9', description: null } }],
    ['description long', { volume_type: { name: 'bad10', description: 'd'.repeat(300) } }],
    ['spaces', { volume_type: { name: '  around  ' } }],
  ] as const) {
    const made = await ask('POST', '/types', body, { note });
    if (made.ours.status === 200 || made.theirs.status === 200) {
      keep('odd', made, (answer) => answer.volume_type.id);
      await ask('DELETE', '/types/{odd}', undefined, { silent: true });
    }
  }
}

async function extraSpecs({ ask }: Parity): Promise<void> {
  const path = '/types/{gold}/extra_specs';
  await ask('GET', path);
  await ask('POST', path, { extra_specs: { c: 'd', 'key:with_colon': '<is> True' } });
  await ask('GET', `${path}/c`);
  await ask('GET', `${path}/none`);
  await ask('PUT', `${path}/c`, { c: 'new' });
  await ask('PUT', `${path}/c`, { d: 'new' });
  await ask('PUT', `${path}/c`, { c: 'new', d: 'x' });
  await ask('PUT', `${path}/c`, {});
  await ask('PUT', `${path}/fresh`, { fresh: 'x' });
  for (const specs of [
    {},
    null,
    [],
    { a: 1 },
    { a: null },
    { a: true },
    { '': 'x' },
    { 'a*': 'x' },
    { ['k'.repeat(300)]: 'x' },
    { a: 'v'.repeat(300) },
  ]) {
    await ask('POST', path, { extra_specs: specs }, { note: JSON.stringify(specs).slice(0, 40) });
  }
  await ask('POST', path, {});
  await ask('DELETE', `${path}/c`);
  await ask('DELETE', `${path}/c`, undefined, { note: 'again' });
  await ask('GET', path);
}

async function access({ ask }: Parity): Promise<void> {
  const project = 'fedcba98765432100123456789abcdef';
  const act = (id: string, body: unknown) => ask('POST', `/types/${id}/action`, body, { note: JSON.stringify(body) });
  await ask('GET', '/types/{gold}/os-volume-type-access', undefined, { note: 'public' });
  await ask('GET', '/types/{hidden}/os-volume-type-access');
  await act('{gold}', { addProjectAccess: { project } });
  await act('{hidden}', { addProjectAccess: { project } });
  await act('{hidden}', { addProjectAccess: { project } });
  await ask('GET', '/types/{hidden}/os-volume-type-access');
  await act('{hidden}', { addProjectAccess: {} });
  await act('{hidden}', { addProjectAccess: { project: '' } });
  await act('{hidden}', { addProjectAccess: { project: 5 } });
  await act('{hidden}', { addProjectAccess: { project: 'not an id' } });
  await act('{hidden}', { addProjectAccess: null });
  await act('{hidden}', { nothing: {} });
  await act('{hidden}', { removeProjectAccess: { project } });
  await act('{hidden}', { removeProjectAccess: { project } });
  await act('{gold}', { removeProjectAccess: { project } });
  await act(UNKNOWN, { addProjectAccess: { project } });
}
