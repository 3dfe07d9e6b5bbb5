import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CliFailure } from '../../../src/cli/exit-codes.ts';
import { iscsiUrl } from '../../../src/cli/iscsi-url.ts';

const info = {
  driver_volume_type: 'iscsi',
  target_portal: '127.0.0.1:3260',
  target_iqn: 'iqn.2010-10.org.openstack:volume-1',
  target_lun: 1,
  auth_method: 'CHAP',
  auth_username: 'user',
  auth_password: 'secret',
};

/** How libiscsi 1.19 takes a URL apart, as observed by giving it some; its decoder skips two characters after an escape. */
function parseAsLibiscsi(url: string) {
  const body = url.slice('iscsi://'.length).split('?')[0]!;
  const at = body.indexOf('@');
  const account = at === -1 ? '' : body.slice(0, at);
  const separator = account.includes('%') ? account.indexOf('%') : account.indexOf(':');
  const [portal, target, lun] = body.slice(at + 1).split('/');
  const decoded = target!.replace(/%([0-9a-f]{2})(.{0,2})/gis, (_, code: string, skipped: string) => {
    return String.fromCharCode(Number.parseInt(code, 16)) + skipped;
  });
  return {
    user: account.slice(0, Math.max(separator, 0)),
    password: separator === -1 ? '' : account.slice(separator + 1),
    portal,
    target: decoded,
    lun: Number(lun),
  };
}

describe('iscsiUrl', () => {
  it('is what qemu takes', () => {
    assert.equal(iscsiUrl(info), 'iscsi://user%secret@127.0.0.1:3260/iqn.2010-10.org.openstack:volume-1/1');
  });

  it('has no credentials where there are none', () => {
    const { auth_method: _, ...open } = info;
    assert.equal(iscsiUrl(open), 'iscsi://127.0.0.1:3260/iqn.2010-10.org.openstack:volume-1/1');
  });

  it('takes an IPv6 portal and lun 0', () => {
    assert.match(iscsiUrl({ ...info, target_portal: '[::1]:3260', target_lun: 0 }), /@\[::1\]:3260\/.*\/0$/);
  });

  it('is read by libiscsi as what was meant, or is refused', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab:.-%@?/=&+ ~0'), minLength: 1, maxLength: 12 });
    let accepted = 0;
    fc.assert(
      fc.property(text, text, text, (auth_username, auth_password, target_iqn) => {
        let url: string;
        try {
          url = iscsiUrl({ ...info, auth_username, auth_password, target_iqn });
        } catch (error) {
          assert.ok(error instanceof CliFailure);
          return;
        }
        accepted++;
        const read = parseAsLibiscsi(url);
        assert.deepEqual(read, {
          user: auth_username,
          password: auth_password,
          portal: info.target_portal,
          target: target_iqn,
          lun: 1,
        });
      }),
      { numRuns: 2000 },
    );
    assert.ok(accepted > 50, `only ${accepted} were accepted: the property tests nothing`);
  });

  it('tells no secret when it refuses', () => {
    assert.throws(
      () => iscsiUrl({ ...info, auth_password: 'hush@hush' }),
      (error: Error) => {
        assert.match(error.message, /LIBISCSI_CHAP_PASSWORD/);
        return !error.message.includes('hush');
      },
    );
  });

  it('refuses what is not iSCSI, and what is incomplete', () => {
    assert.throws(() => iscsiUrl({ ...info, driver_volume_type: 'nvmeof' }), /exported by 'nvmeof'/);
    assert.throws(() => iscsiUrl({ ...info, target_lun: undefined }), /no target_lun/);
    assert.throws(() => iscsiUrl({ ...info, target_portal: undefined }), /no target_portal/);
    assert.throws(() => iscsiUrl({}), CliFailure);
  });
});
