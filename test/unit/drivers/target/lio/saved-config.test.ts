import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editAcls, editSaved, toSaved } from '../../../../../drivers/target/lio/saved-config.ts';
import type { WantedExport } from '../../../../../drivers/target/lio/wanted.ts';

const wanted: WantedExport = {
  volumeId: '1',
  iqn: 'iqn.2010-10.org.openstack:volume-1',
  plugin: 'iblock',
  hbaNumber: 1,
  devicePath: '/dev/x',
  fileBytes: null,
  discards: true,
  writeCache: false,
  serial: '0123456789abcdef0123456789abcdef',
  chap: { username: 'alice', password: 'right' },
  mutualChap: null,
  portals: ['192.0.2.1:3260', '[2001:db8::1]:3261'],
  initiators: [],
};
const others = JSON.stringify({
  fabric_modules: [{ name: 'iscsi' }],
  more: 1,
  storage_objects: [{ name: 'theirs', plugin: 'block' }],
  targets: [{ wwn: 'iqn.2001-04.com.example:theirs', tpgs: [] }],
});

test('an export comes, is replaced and goes; what others have stays', () => {
  const saved = toSaved(wanted, ['iqn.x:b', 'iqn.x:a']);
  const there = editSaved(others, [[wanted.iqn, () => saved]], 'f');
  const { storage_objects: objects, targets, more, fabric_modules: modules } = JSON.parse(there);
  assert.deepEqual([objects.length, targets.length, more, modules.length], [2, 2, 1, 1]);
  const [{ luns, portals, node_acls: acls }] = targets.find(({ wwn }: { wwn: string }) => wwn === wanted.iqn).tpgs;
  assert.equal(luns[0].storage_object, `/backstores/block/${wanted.iqn}`);
  assert.deepEqual(
    portals.map((each: { ip_address: string; port: number }) => [each.ip_address, each.port]),
    [
      ['192.0.2.1', 3260],
      ['[2001:db8::1]', 3261],
    ],
  );
  assert.deepEqual(
    acls.map((each: { node_wwn: string }) => each.node_wwn),
    ['iqn.x:a', 'iqn.x:b'],
  );
  assert.deepEqual([acls[0].chap_userid, acls[0].chap_password], ['alice', 'right']);
  assert.equal(editSaved(there, [[wanted.iqn, () => saved]], 'f'), there, 'the same again changes nothing');

  const asFile = toSaved({ ...wanted, plugin: 'fileio', fileBytes: 4096, writeCache: true }, []);
  const replaced = JSON.parse(editSaved(there, [[wanted.iqn, () => asFile]], 'f'));
  assert.deepEqual(
    replaced.storage_objects.map(({ plugin }: { plugin: string }) => plugin),
    ['block', 'fileio'],
  );
  const gone = editSaved(there, [[wanted.iqn, () => null]], 'f');
  assert.deepEqual(JSON.parse(gone), JSON.parse(others));
});

test('initiators come and go in order; where the export is not in the file nothing comes of it', () => {
  const credentials = { chap: wanted.chap, mutualChap: { username: 'us', password: 'ours' } };
  const start = editSaved(null, [[wanted.iqn, () => toSaved(wanted, [])]], 'f');
  const names = (text: string) =>
    JSON.parse(text).targets[0].tpgs[0].node_acls.map((each: { node_wwn: string }) => each.node_wwn);
  const two = editSaved(
    start,
    [
      [wanted.iqn, editAcls('iqn.x:b', credentials)],
      [wanted.iqn, editAcls('iqn.x:a', credentials)],
    ],
    'f',
  );
  assert.deepEqual(names(two), ['iqn.x:a', 'iqn.x:b']);
  assert.match(two, /"chap_mutual_password": "ours"/);
  assert.deepEqual(names(editSaved(two, [[wanted.iqn, editAcls('iqn.x:a', null)]], 'f')), ['iqn.x:b']);
  assert.equal(editSaved(two, [[wanted.iqn, editAcls(null, null)]], 'f'), start);
  assert.deepEqual(JSON.parse(editSaved(null, [[wanted.iqn, editAcls('iqn.x:a', credentials)]], 'f')).targets, []);
});

test('a text that is not targetcli’s is refused, by its path', () => {
  for (const text of ['{', '[]x', '{"targets": 1}', 'null']) {
    assert.throws(() => editSaved(text, [], '/etc/x.json'), /\/etc\/x\.json is not what targetcli writes/, text);
  }
});
