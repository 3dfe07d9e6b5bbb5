import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectionInfo, parseLocation, renderLocation, renderPortal, serialOf } from '../../../src/driver/iscsi.ts';

import { isFailure } from '../../../src/model/errors.ts';

const location = '192.0.2.1:3260;[2001:db8::1]:3260,1 iqn.x:volume-1 1';

test('a location is read as it was written', () => {
  const portal = fc.constantFrom(
    renderPortal('192.0.2.1', 3260),
    renderPortal('2001:db8::1', 1),
    renderPortal('host', 9),
  );
  fc.assert(
    fc.property(fc.array(portal, { minLength: 1, maxLength: 3 }), (portals) => {
      const value = { portals: portals as [string, ...string[]], iqn: 'iqn.x:y', lun: 1 };
      assert.deepEqual(parseLocation(renderLocation(value)), value);
    }),
  );
  assert.equal(renderLocation(parseLocation(location)!), location);
  assert.equal(parseLocation('nonsense'), null);
});

test('all portals for an initiator that asks for multipath, else the first', () => {
  const exported = { providerLocation: location, chap: null };
  const single = connectionInfo('iscsi', 'v', exported, { initiator: 'iqn.x:i' });
  assert.deepEqual(single.data, {
    target_discovered: false,
    target_portal: '192.0.2.1:3260',
    target_iqn: 'iqn.x:volume-1',
    target_lun: 1,
    volume_id: 'v',
  });
  const { data } = connectionInfo('iser', 'v', exported, { initiator: 'iqn.x:i', multipath: true });
  assert.deepEqual(data.target_portals, ['192.0.2.1:3260', '[2001:db8::1]:3260']);
  assert.deepEqual(data.target_iqns, ['iqn.x:volume-1', 'iqn.x:volume-1']);
  assert.deepEqual(data.target_luns, [1, 1]);
});

test('a location that cannot be read is an error that says what to do', () => {
  assert.throws(
    () => connectionInfo('iscsi', 'v', { providerLocation: 'x', chap: null }, { initiator: 'iqn.x:i' }),
    (error) => isFailure(error, 'ExportFailure') && /Export it again/.test(error.message),
  );
});

test('serials are 32 digits, of the uuid where there is one', () => {
  assert.equal(serialOf('919340C6-a1ab-4f5c-8c0b-03bde63e5779'), '919340c6a1ab4f5c8c0b03bde63e5779');
  fc.assert(fc.property(fc.string(), (id) => assert.match(serialOf(id), /^[0-9a-f]{32}$/)));
});
