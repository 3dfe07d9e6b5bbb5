/** Attachments, and the older actions that attach. Never an instance together with connection information: the peer would ask nova. */
import { type Answer, type Parity, UNKNOWN } from '../../support/parity.ts';
import { dropVolume, isSettled, makeVolume } from './volumes.ts';

const connector = {
  initiator: 'iqn.2004-10.com.example:one',
  host: 'consumer',
  ip: '127.0.0.1',
  platform: 'x86_64',
  os_type: 'linux',
  multipath: false,
};

export async function attachments(parity: Parity): Promise<void> {
  const { ask, keep, settle } = parity;
  await makeVolume(parity, 'av');
  await ask('GET', '/attachments', undefined, { version: '3.26', note: 'too early' });
  await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}' } }, { version: '3.26', note: 'too early' });
  for (const version of ['3.27', '3.44', '3.48', '3.54', '3.70']) {
    const made = await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}' } }, { version });
    keep('att', made, ({ attachment }) => attachment.id);
    await ask('GET', '/volumes/{av}', undefined, { version, note: 'reserved' });
    for (const path of ['/attachments/{att}', '/attachments', '/attachments/detail']) {
      await ask('GET', path, undefined, { version, note: 'reserved' });
    }
    await ask('PUT', '/attachments/{att}', { attachment: { connector } }, { version });
    await ask('GET', '/volumes/{av}', undefined, { version, note: 'connected' });
    for (const path of ['/attachments/{att}', '/attachments', '/attachments/detail']) {
      await ask('GET', path, undefined, { version, note: 'connected' });
    }
    await ask('POST', '/attachments/{att}/action', { 'os-complete': null }, { version });
    await ask('GET', '/volumes/{av}', undefined, { version, note: 'completed' });
    await ask('GET', '/attachments/{att}', undefined, { version, note: 'completed' });
    if (version === '3.70') {
      await ask('POST', '/attachments/{att}/action', { 'os-complete': {} }, { note: 'again' });
      await ask('DELETE', '/volumes/{av}', undefined, { note: 'in use' });
      await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}' } }, { note: 'second' });
      await ask('POST', '/snapshots', { snapshot: { volume_id: '{av}' } }, { note: 'in use', version: '3.0' });
      for (const path of ['/volumes/detail', '/volumes/summary', '/limits'])
        await ask('GET', path, undefined, { note: 'in use' });
      for (const extendVersion of ['3.41', '3.42']) {
        await ask(
          'POST',
          '/volumes/{av}/action',
          { 'os-extend': { new_size: 1 } },
          { note: 'in use', version: extendVersion },
        );
      }
    }
    if (version === '3.70') await ask('PUT', '/attachments/{att}', { attachment: { connector } }, { note: 'again' });
    await ask('DELETE', '/attachments/{att}', undefined, { version });
    await settle('/volumes/{av}', isSettled);
    await ask('GET', '/volumes/{av}', undefined, { version, note: 'detached' });
    await ask('GET', '/attachments/{att}', undefined, { version, note: 'deleted' });
  }
  await connectedAtOnce(parity);
  await badAttachments(parity);
  await oldWay(parity);
  await dropVolume(parity, 'av');
}

async function connectedAtOnce(parity: Parity): Promise<void> {
  const { ask, keep, settle } = parity;
  for (const mode of [undefined, 'rw', 'ro']) {
    const body = { attachment: { volume_uuid: '{av}', connector, mode } };
    const made = await ask('POST', '/attachments', body, { note: `connector, mode ${mode}` });
    keep('att', made, ({ attachment }) => attachment.id);
    await ask('GET', '/attachments/{att}', undefined, { note: `mode ${mode}` });
    await ask('GET', '/volumes/{av}', undefined, { note: `connected at once, mode ${mode}` });
    for (const query of [
      'volume_id={av}',
      `volume_id=${UNKNOWN}`,
      'status=attaching',
      'status=x',
      'attach_status=attaching',
      'instance_id=x',
      'all_tenants=1',
      'limit=1',
      'limit=0',
      'limit=x',
      'offset=1',
      `marker=${UNKNOWN}`,
      'nothing=1',
      'sort=id:asc',
      'sort=x',
    ]) {
      if (mode === 'ro') {
        await ask('GET', `/attachments?${query}`);
        await ask('GET', `/attachments/detail?${query}`, undefined, { version: '3.27' });
      }
    }
    await ask('DELETE', '/attachments/{att}');
    await settle('/volumes/{av}', isSettled);
    await ask('GET', '/volumes/{av}', undefined, { note: `deleted, mode was ${mode}` });
  }
  const reserved = await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}', instance_uuid: UNKNOWN } });
  keep('att', reserved, ({ attachment }) => attachment.id);
  await ask('GET', '/attachments/{att}', undefined, { note: 'instance' });
  await ask('GET', '/volumes/{av}', undefined, { note: 'reserved for an instance' });
  await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}', instance_uuid: UNKNOWN } }, { note: 'again' });
  await ask('POST', '/attachments/{att}/action', { 'os-complete': {} }, { note: 'without connector' });
  await ask('GET', '/volumes/{av}', undefined, { note: 'completed without connector' });
  await ask('DELETE', '/attachments/{att}');
  await settle('/volumes/{av}', isSettled);
}

async function badAttachments({ ask, keep, settle }: Parity): Promise<void> {
  for (const [note, body] of [
    ['no key', {}],
    ['empty', { attachment: {} }],
    ['null', { attachment: null }],
    ['unknown volume', { attachment: { volume_uuid: UNKNOWN } }],
    ['malformed volume', { attachment: { volume_uuid: 'x' } }],
    ['malformed instance', { attachment: { volume_uuid: '{av}', instance_uuid: 'x' } }],
    ['null instance', { attachment: { volume_uuid: '{av}', instance_uuid: null } }],
    ['connector null', { attachment: { volume_uuid: '{av}', connector: null } }],
    ['connector empty', { attachment: { volume_uuid: '{av}', connector: {} } }],
    ['connector text', { attachment: { volume_uuid: '{av}', connector: 'x' } }],
    ['mode null', { attachment: { volume_uuid: '{av}', mode: null } }],
    ['mode x', { attachment: { volume_uuid: '{av}', mode: 'x' } }],
    ['unknown key', { attachment: { volume_uuid: '{av}', x: 1 } }],
    ['key beside', { attachment: { volume_uuid: '{av}' }, x: 1 }],
  ] as const) {
    for (const version of ['3.27', '3.53', '3.54']) {
      const made = await ask('POST', '/attachments', body, { note, version });
      if (made.ours.status === 200 || made.theirs.status === 200) {
        keep('att', made, ({ attachment }) => attachment.id);
        await ask('DELETE', '/attachments/{att}', undefined, { silent: true });
        await settle('/volumes/{av}', isSettled);
      }
    }
  }
  const made = await ask('POST', '/attachments', { attachment: { volume_uuid: '{av}' } });
  keep('att', made, ({ attachment }) => attachment.id);
  for (const body of [
    {},
    { attachment: {} },
    { attachment: { connector: {} } },
    { attachment: { connector: null } },
    { attachment: { connector: 'x' } },
    { attachment: { connector, mode: 'rw' } },
    { attachment: { connector }, x: 1 },
  ]) {
    await ask('PUT', '/attachments/{att}', body, { note: JSON.stringify(body).slice(0, 60) });
  }
  for (const body of [{}, { nothing: null }, { 'os-complete': null, x: 1 }]) {
    await ask('POST', '/attachments/{att}/action', body, { note: JSON.stringify(body) });
  }
  await ask('POST', '/attachments/{att}/action', { 'os-complete': null }, { version: '3.43' });
  await ask('DELETE', '/attachments/{att}');
  await settle('/volumes/{av}', isSettled);
  for (const id of [UNKNOWN, 'x']) {
    await ask('GET', `/attachments/${id}`);
    await ask('PUT', `/attachments/${id}`, { attachment: { connector } });
    await ask('DELETE', `/attachments/${id}`);
    await ask('POST', `/attachments/${id}/action`, { 'os-complete': null });
  }
}

async function oldWay({ ask, settle }: Parity): Promise<void> {
  const act = (body: unknown, note = '') =>
    ask('POST', '/volumes/{av}/action', body, { version: '3.0', note: `${JSON.stringify(body).slice(0, 80)} ${note}` });
  const look = async (note: string) => {
    for (const version of ['3.0', '3.27', '3.70']) await ask('GET', '/volumes/{av}', undefined, { version, note });
    await ask('GET', '/attachments/detail', undefined, { note });
  };
  await act({ 'os-unreserve': null }, 'available');
  await act({ 'os-begin_detaching': null }, 'available');
  await act({ 'os-roll_detaching': null }, 'available');
  await act({ 'os-detach': {} }, 'available');
  await act({ 'os-terminate_connection': { connector } }, 'available');
  await act({ 'os-reserve': null });
  await act({ 'os-reserve': null }, 'again');
  await look('os-reserve');
  await act({ 'os-unreserve': null });
  await act({ 'os-reserve': {} });
  await act({ 'os-initialize_connection': { connector } });
  await act({ 'os-initialize_connection': {} });
  await act({ 'os-initialize_connection': { connector: null } });
  await act({ 'os-initialize_connection': { connector: 'x' } });
  await act({ 'os-initialize_connection': { connector, x: 1 } });
  await look('initialized');
  await act({ 'os-attach': { instance_uuid: UNKNOWN, mountpoint: '/dev/vdb' } });
  await settle('/volumes/{av}', ({ body }: Answer) => body.volume.status === 'in-use');
  await look('attached');
  await act({ 'os-attach': { instance_uuid: UNKNOWN, mountpoint: '/dev/vdb' } }, 'again');
  await act({ 'os-attach': { host_name: 'other', mountpoint: '/dev/vdc' } }, 'second');
  await act({ 'os-begin_detaching': {} });
  await act({ 'os-roll_detaching': {} });
  await act({ 'os-begin_detaching': {} });
  await act({ 'os-detach': { attachment_id: UNKNOWN } });
  await act({ 'os-detach': { attachment_id: 'x' } });
  await act({ 'os-detach': {} });
  await act({ 'os-terminate_connection': { connector } });
  await settle('/volumes/{av}', isSettled);
  await look('detached');
  for (const attach of [
    {},
    { mountpoint: '/dev/vdb' },
    { instance_uuid: UNKNOWN },
    { instance_uuid: 'x', mountpoint: '/dev/vdb' },
    { host_name: 'h', mountpoint: '' },
    { host_name: '', mountpoint: '/x' },
    { host_name: 'h'.repeat(300), mountpoint: '/x' },
    { host_name: 'h', mountpoint: '/x', mode: 'x' },
    { host_name: 'h', mountpoint: '/x', more: 1 },
    { host_name: 'h', instance_uuid: UNKNOWN, mountpoint: '/x' },
  ]) {
    const { ours, theirs } = await act({ 'os-attach': attach });
    if (ours.status !== 202 && theirs.status !== 202) continue;
    await settle('/volumes/{av}', isSettled);
    await act({ 'os-detach': {} });
    await settle('/volumes/{av}', isSettled);
  }
  await act({ 'os-attach': { host_name: 'h', mountpoint: '/x', mode: 'ro' } });
  await settle('/volumes/{av}', isSettled);
  await look('attached read-only to a host');
  await act({ 'os-force_detach': {} });
  await settle('/volumes/{av}', isSettled);
  await look('forced');
  await act({ 'os-terminate_connection': {} });
  await act({ 'os-terminate_connection': { connector: null } });
  await settle('/volumes/{av}', isSettled);
}
