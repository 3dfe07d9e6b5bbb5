/** Bodies of POST /volumes and of actions that must be refused, or are taken although they look odd. */
import { type Asking, type Pairing, type Parity, UNKNOWN } from '../../support/parity.ts';
import { dropVolume, isGone, isSettled, makeVolume } from './volumes.ts';

export async function badVolumes(parity: Parity): Promise<void> {
  const { ask } = parity;
  for (const [note, body, versions = ['3.0', '3.70']] of [
    ['no volume', {}],
    ['null', { volume: null }],
    ['text', { volume: 'x' }],
    ['list', []],
    ['empty', { volume: {} }],
    ['size 0', { volume: { size: 0 } }],
    ['size -1', { volume: { size: -1 } }],
    ['size "1"', { volume: { size: '1' } }],
    ['size " 1"', { volume: { size: ' 1' } }],
    ['size "one"', { volume: { size: 'one' } }],
    ['size ""', { volume: { size: '' } }],
    ['size null', { volume: { size: null } }],
    ['size 1.5', { volume: { size: 1.5 } }],
    ['size 1.0', { volume: { size: 1.0 } }],
    ['size true', { volume: { size: true } }],
    ['size 1e12', { volume: { size: 1e12 } }],
    ['size 2^31', { volume: { size: 2 ** 31 } }],
    ['size list', { volume: { size: [1] } }],
    ['over quota', { volume: { size: 1001 } }],
    ['name of 255', { volume: { size: 1, name: 'n'.repeat(255) } }],
    ['name of 300', { volume: { size: 1, name: 'n'.repeat(300) } }],
    ['name 7', { volume: { size: 1, name: 7 } }],
    ['name null', { volume: { size: 1, name: null } }],
    ['name newline', { volume: { size: 1, name: 'a\nb' } }],
    ['name spaces', { volume: { size: 1, name: '  a  ' } }],
    ['display_name', { volume: { size: 1, display_name: 'shown', display_description: 'text' } }],
    ['both names', { volume: { size: 1, name: 'a', display_name: 'shown' } }],
    ['description of 300', { volume: { size: 1, description: 'n'.repeat(300) } }],
    ['unknown key', { volume: { size: 1, colour: 'red' } }],
    ['unknown key beside', { volume: { size: 1 }, colour: 'red' }],
    ['scheduler hints', { volume: { size: 1 }, 'OS-SCH-HNT:scheduler_hints': {} }],
    ['metadata null', { volume: { size: 1, metadata: null } }],
    ['metadata number', { volume: { size: 1, metadata: { a: 1 } } }],
    ['metadata list', { volume: { size: 1, metadata: [] } }],
    ['metadata empty key', { volume: { size: 1, metadata: { '': 'x' } } }],
    ['metadata long', { volume: { size: 1, metadata: { a: 'x'.repeat(300) } } }],
    ['snapshot unknown', { volume: { snapshot_id: UNKNOWN } }],
    ['snapshot malformed', { volume: { snapshot_id: 'x' } }],
    ['snapshot null', { volume: { size: 1, snapshot_id: null } }],
    ['source unknown', { volume: { source_volid: UNKNOWN } }],
    ['source malformed', { volume: { source_volid: 'x' } }],
    ['source null', { volume: { size: 1, source_volid: null } }],
    ['zone unknown', { volume: { size: 1, availability_zone: 'nowhere' } }],
    ['zone null', { volume: { size: 1, availability_zone: null } }],
    ['zone number', { volume: { size: 1, availability_zone: 5 } }],
    ['type unknown', { volume: { size: 1, volume_type: 'nothing' } }],
    ['type unknown id', { volume: { size: 1, volume_type: UNKNOWN } }],
    ['type null', { volume: { size: 1, volume_type: null } }],
    ['type empty', { volume: { size: 1, volume_type: '' } }],
    ['type default', { volume: { size: 1, volume_type: '__DEFAULT__' } }],
    ['type number', { volume: { size: 1, volume_type: 5 } }],
    ['multiattach text', { volume: { size: 1, multiattach: 'maybe' } }],
    ['multiattach true', { volume: { size: 1, multiattach: true } }],
    ['multiattach "false"', { volume: { size: 1, multiattach: 'false' } }],
    ['consistency group', { volume: { size: 1, consistencygroup_id: UNKNOWN } }],
    ['consistency group null', { volume: { size: 1, consistencygroup_id: null } }],
    ['group null', { volume: { size: 1, group_id: null } }],
    ['group unknown', { volume: { size: 1, group_id: UNKNOWN } }],
    ['image malformed', { volume: { size: 1, imageRef: 5 } }],
    ['image null', { volume: { size: 1, imageRef: null } }],
    ['image empty', { volume: { size: 1, imageRef: '' } }],
    ['backup null', { volume: { size: 1, backup_id: null } }],
    ['backup malformed', { volume: { size: 1, backup_id: 'x' } }],
    [
      'user and project',
      { volume: { size: 1, user_id: 'x', project_id: 'y', status: 'creating', attach_status: 'x' } },
    ],
  ] as readonly (readonly [string, unknown, string[]?])[]) {
    for (const version of versions) {
      const made = await ask('POST', '/volumes', body, { note, version });
      await forget(parity, made, { note, version });
    }
  }
  for (const [note, text, headers] of [
    ['no body', '', {}],
    ['broken', '{"volume": ', {}],
    ['text', 'hello', {}],
    ['a number', '5', {}],
    ['plain text', '{"volume": {"size": 1}}', { 'content-type': 'text/plain' }],
    ['xml', '<volume/>', { 'content-type': 'application/xml' }],
    ['large', JSON.stringify({ volume: { size: 1, description: 'x'.repeat(120_000) } }), {}],
  ] as const) {
    const made = await ask('POST', '/volumes', undefined, { note, text, headers });
    await forget(parity, made, { note });
  }
}

/** Shows what was made, and deletes it. */
async function forget(parity: Parity, made: Pairing, asking: Asking): Promise<void> {
  const count = [made.ours, made.theirs].filter(({ status }) => status === 202).length;
  if (count === 0) return;
  const { ask, keep, settle } = parity;
  keep('odd', made, (answer) => answer.volume.id);
  await settle('/volumes/{odd}', isSettled);
  if (count === 2) await ask('GET', '/volumes/{odd}', undefined, asking);
  await ask('DELETE', '/volumes/{odd}', undefined, { silent: true });
  await settle('/volumes/{odd}', isGone);
}

export async function quotas(parity: Parity): Promise<void> {
  const { ask } = parity;
  for (let index = 0; index < 10; index += 1) await makeVolume(parity, `q${index}`);
  await ask('POST', '/volumes', { volume: { size: 1 } }, { note: 'eleventh' });
  await ask('GET', '/limits');
  await ask('GET', '/os-quota-sets/0123456789abcdef0123456789abcdef?usage=true');
  for (let index = 0; index < 10; index += 1) await dropVolume(parity, `q${index}`);
}

export async function actions(parity: Parity): Promise<void> {
  const { ask, settle } = parity;
  await makeVolume(parity, 'act');
  const act = async (body: unknown, version = '3.70') => {
    await ask('POST', '/volumes/{act}/action', body, { version, note: JSON.stringify(body).slice(0, 90) });
    await settle('/volumes/{act}', isSettled);
  };
  for (const size of [3, 3, 2, 0, -1, '4', 'x', null, 1.5, 1e12, 2 ** 31, 5000]) {
    await act({ 'os-extend': { new_size: size } });
    await ask('GET', '/volumes/{act}', undefined, { note: `extended to ${size}` });
  }
  await act({ 'os-extend': {} });
  await act({ 'os-extend': null });
  await act({ 'os-extend': { new_size: 6, more: 1 } });
  for (const body of [{}, { nothing: null }, { 'os-extend': { new_size: 9 }, 'os-reserve': null }, null, []]) {
    await act(body);
    await act(body, '3.0');
  }
  for (const bootable of [true, false, 'true', 'no', 'maybe', 1, null]) {
    await act({ 'os-set_bootable': { bootable } });
    await ask('GET', '/volumes/{act}', undefined, { note: `bootable ${bootable}` });
  }
  await act({ 'os-set_bootable': {} });
  for (const readonly of [true, false, 'x', null]) {
    await act({ 'os-update_readonly_flag': { readonly } });
    await ask('GET', '/volumes/{act}', undefined, { note: `readonly ${readonly}` });
  }
  await act({ 'os-update_readonly_flag': {} });
  for (const reset of [
    { status: 'error' },
    { status: 'AVAILABLE' },
    { status: 'nonsense' },
    {},
    { status: null },
    { status: '' },
    { attach_status: 'attached' },
    { attach_status: 'detached' },
    { attach_status: 'x' },
    { migration_status: 'migrating' },
    { migration_status: 'none' },
    { migration_status: 'x' },
    { status: 'available', attach_status: 'detached', migration_status: 'none' },
    { status: 'available', more: 1 },
  ]) {
    await act({ 'os-reset_status': reset });
    await ask('GET', '/volumes/{act}', undefined, { note: `reset ${JSON.stringify(reset)}` });
  }
  for (const name of [
    'os-force_delete',
    'os-unmanage',
    'os-retype',
    'os-migrate_volume',
    'os-migrate_volume_completion',
    'os-volume_upload_image',
    'os-set_image_metadata',
    'os-show_image_metadata',
    'os-unset_image_metadata',
    'revert',
    'os-reimage',
    'os-extend_volume_completion',
  ]) {
    await ask('POST', `/volumes/${UNKNOWN}/action`, { [name]: null }, { note: `${name}, unknown volume` });
  }
  await ask('POST', `/volumes/${UNKNOWN}/action`, { 'os-extend': { new_size: 9 } }, { note: 'extend, unknown volume' });
  await ask(
    'POST',
    `/volumes/${UNKNOWN}/action`,
    { 'os-reset_status': { status: 'error' } },
    { note: 'reset, unknown' },
  );
  await ask('POST', `/volumes/${UNKNOWN}/action`, { 'os-reserve': {} }, { note: 'reserve, unknown' });
  for (const status of ['error', 'error_extending', 'maintenance', 'in-use']) {
    await ask('POST', '/volumes/{act}/action', { 'os-reset_status': { status } }, { note: status });
    await ask('POST', '/volumes/{act}/action', { 'os-extend': { new_size: 9 } }, { note: `extend when ${status}` });
    await ask('POST', '/volumes/{act}/action', { 'os-reserve': {} }, { note: `reserve when ${status}` });
    await ask('PUT', '/volumes/{act}', { volume: { name: 'x' } }, { note: `when ${status}` });
    await ask('POST', '/volumes/{act}/metadata', { metadata: { a: 'b' } }, { note: `when ${status}` });
    await ask('POST', '/snapshots', { snapshot: { volume_id: '{act}' } }, { note: `when ${status}`, version: '3.65' });
    if (status === 'in-use' || status === 'maintenance')
      await ask('DELETE', '/volumes/{act}', undefined, { note: `when ${status}` });
  }
  await ask('POST', '/volumes/{act}/action', { 'os-reset_status': { status: 'error' } }, { note: 'last' });
  await dropVolume(parity, 'act');
  await makeVolume(parity, 'forced');
  await ask('POST', '/volumes/{forced}/action', { 'os-reset_status': { status: 'deleting' } });
  await ask('POST', '/volumes/{forced}/action', { 'os-reset_status': { status: 'error' } });
  await ask('POST', '/volumes/{forced}/action', { 'os-force_delete': {} });
  await settle('/volumes/{forced}', isGone);
}
