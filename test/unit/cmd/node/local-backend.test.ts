import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLocalBackend, localBackendConfig } from '../../../../src/cmd/node/local-backend.ts';

const full = { isRoot: true, deviceMapper: true, lvm: true };

test('LVM where all that it needs is there, else sparse files, and the reason is said', () => {
  assert.equal(chooseLocalBackend({}, full).backend, 'lvm');
  for (const [missing, why] of [
    ['deviceMapper', /no device-mapper/],
    ['lvm', /lvm2 is not installed \(apt-get install lvm2\)/],
    ['isRoot', /needs root/],
  ] as const) {
    const choice = chooseLocalBackend({}, { ...full, [missing]: false });
    assert.equal(choice.backend, 'file');
    assert.match(choice.why, why);
  }
});

test('what was chosen once stays, whatever the machine has become: the volumes are there', () => {
  assert.equal(chooseLocalBackend({ backend: 'file' }, full).backend, 'file');
  const lost = chooseLocalBackend({ backend: 'lvm' }, { ...full, deviceMapper: false });
  assert.equal(lost.backend, 'lvm');
  assert.match(lost.why, /no device-mapper/);
});

test('the backend bears its own name, so that the first and a later choice can stand side by side', () => {
  assert.equal(localBackendConfig('lvm', 'tgtadm').DEFAULT!.enabled_backends, 'lvm');
  assert.equal(localBackendConfig('file', 'fake').file!.target_helper, 'fake');
});
