import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readCredentials,
  readInitiators,
  renderConfigFile,
  type WantedExport,
  withInitiators,
} from '../../../../../drivers/target/tgt/config-file.ts';

const wanted: WantedExport = {
  iqn: 'iqn.2010-10.org.openstack:volume-1',
  devicePath: '/dev/ashlar-volumes/volume-1',
  lld: 'iscsi',
  chap: { username: 'alice', password: 'secret-1_x' },
  writeCache: 'off',
  bsoflags: 'direct',
  serial: '919340c6a1ab4f5c8c0b03bde63e5779',
  initiators: null,
};

test('is a block of targets.conf', () => {
  assert.equal(
    renderConfigFile(wanted),
    `# Written by Ashlar from its database; changes here are overwritten.
<target iqn.2010-10.org.openstack:volume-1>
    backing-store /dev/ashlar-volumes/volume-1
    driver iscsi
    bs-type rdwr
    bsoflags direct
    write-cache off
    scsi_id 919340c6a1ab4f5c8c0b03bde63e5779
    scsi_sn 919340c6a1ab4f5c8c0b03bde63e5779
    params thin_provisioning=1
    incominguser alice secret-1_x
</target>
`,
  );
  const plain = renderConfigFile({ ...wanted, chap: null, bsoflags: null });
  assert.doesNotMatch(plain, /incominguser|bsoflags/);
  assert.equal(readCredentials(plain), null);
});

test('nothing that a shell would read otherwise stands in a block that tgt-admin reads', () => {
  const values = fc.record({
    path: fc.string({ unit: 'grapheme' }).map((text) => `/${text.replaceAll(/[\n\r,\0]/g, '')}`),
    password: fc.stringMatching(/^[!#-~]{1,20}$/),
  });
  fc.assert(
    fc.property(values, ({ path, password }) => {
      const lines = renderConfigFile({ ...wanted, devicePath: path, chap: { username: 'u', password } }).split('\n');
      for (const line of lines.filter((each) => !each.startsWith('#'))) assert.doesNotMatch(line, /["$`\\;&|!*?'#]/);
    }),
  );
});

test('the credentials are read back, whatever they are', () => {
  const word = fc.stringMatching(/^[!#-~]{1,20}$/);
  fc.assert(
    fc.property(word, word, (username, password) => {
      const chap = { username, password };
      assert.deepEqual(readCredentials(renderConfigFile({ ...wanted, chap })), chap);
    }),
  );
  assert.deepEqual(readCredentials('<target x>\n\tincominguser u "p"\n</target>'), { username: 'u', password: 'p' });
  assert.equal(readCredentials(''), null);
});

test('who is let in by name is read as it was written, and changed without touching the rest', () => {
  for (const devicePath of ['/dev/x', '/dev/x$(y)']) {
    const named = (initiators: string[]) => renderConfigFile({ ...wanted, devicePath, initiators });
    assert.deepEqual(readInitiators(named(['iqn.x:a', 'iqn.x:b'])), ['iqn.x:a', 'iqn.x:b']);
    assert.deepEqual(readInitiators(named([])), []);
    assert.equal(withInitiators(named(['iqn.x:a']), ['iqn.x:b', 'iqn.x:c']), named(['iqn.x:b', 'iqn.x:c']));
    assert.equal(withInitiators(named(['iqn.x:a']), []), named([]));
  }
});
