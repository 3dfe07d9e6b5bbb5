import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Found,
  planAdmission,
  planExclusion,
  planExport,
  planRemoval,
} from '../../../../../drivers/target/nvmet/plan.ts';
import {
  connectionInfo,
  hostKey,
  hostOf,
  MODEL,
  type WantedExport,
} from '../../../../../drivers/target/nvmet/wanted.ts';
import type { Step } from '../../../../../src/driver/configfs.ts';
import { isFailure } from '../../../../../src/model/errors.ts';

const ROOT = '/c';
const HOST = 'nqn.2014-08.org.nvmexpress:uuid:1';
const wanted: WantedExport = {
  nqn: 'nqn.x:volume-1',
  devicePath: '/dev/right',
  buffered: false,
  namespace: 10,
  serial: '0123456789abcdef0123',
  uuid: '01234567-89ab-cdef-0123-456789abcdef',
  hosts: [HOST],
};
const ports = [
  { id: 1, address: '192.0.2.1', service: '4420' },
  { id: 2, address: '192.0.2.2', service: '4420' },
] as const;
const right: Found = {
  subsystem: {
    allowAnyHost: false,
    serial: wanted.serial,
    model: MODEL,
    namespaces: [{ id: '10', enabled: true, devicePath: '/dev/right', uuid: wanted.uuid }],
    hosts: [HOST],
  },
  ports: ['1', '2'],
};
const words = (steps: readonly Step[]) =>
  steps.map((step) => `${step.op} ${step.path.replace('/c/subsystems/nqn.x:volume-1', 'S')}`);

test('nothing to do for what is right; a new one serves last', () => {
  assert.deepEqual(planExport(ROOT, wanted, right, ports), []);
  const steps = words(planExport(ROOT, wanted, { subsystem: null, ports: [] }, ports));
  assert.equal(steps[0], 'mkdir S');
  assert.deepEqual(steps.slice(-3), [
    `link S/allowed_hosts/${HOST}`,
    'link /c/ports/1/subsystems/nqn.x:volume-1',
    'link /c/ports/2/subsystems/nqn.x:volume-1',
  ]);
  assert.ok(steps.indexOf('write S/namespaces/10/enable') > steps.indexOf('write S/namespaces/10/device_path'));
});

test('a wrong device is taken away with all that serves it, and its hosts are let in again', () => {
  const found: Found = {
    ...right,
    subsystem: { ...right.subsystem!, namespaces: [{ id: '10', enabled: true, devicePath: '/dev/wrong', uuid: '' }] },
  };
  const steps = words(planExport(ROOT, { ...wanted, hosts: [] }, found, ports));
  assert.deepEqual(steps.slice(0, 2), [
    'remove /c/ports/1/subsystems/nqn.x:volume-1',
    'remove /c/ports/2/subsystems/nqn.x:volume-1',
  ]);
  assert.ok(steps.indexOf('remove S') < steps.indexOf('mkdir S'));
  assert.ok(steps.includes(`link S/allowed_hosts/${HOST}`));
});

test('hosts come and go, each by itself', () => {
  assert.deepEqual(planAdmission(ROOT, wanted.nqn, right, HOST), []);
  assert.deepEqual(words(planAdmission(ROOT, wanted.nqn, right, 'nqn.y')), ['link S/allowed_hosts/nqn.y']);
  assert.deepEqual(words(planExclusion(ROOT, wanted.nqn, right, HOST)), [`remove S/allowed_hosts/${HOST}`]);
  assert.deepEqual(planExclusion(ROOT, wanted.nqn, right, 'nqn.y'), []);
  assert.equal(planExclusion(ROOT, wanted.nqn, right, null).length, 1);
  assert.deepEqual(planRemoval(ROOT, wanted.nqn, { subsystem: null, ports: [] }), []);
});

test('connection information in both forms, an IPv6 address without brackets', () => {
  const location = '192.0.2.1,[2001:db8::1]:4420 tcp nqn.x:v 10';
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  assert.deepEqual(connectionInfo(id, location, 1, null), {
    driver_volume_type: 'nvmeof',
    data: { target_portal: '192.0.2.1', target_port: '4420', nqn: 'nqn.x:v', transport_type: 'tcp', ns_id: 10 },
  });
  assert.deepEqual(connectionInfo(id, location, 2, 'key').data, {
    target_nqn: 'nqn.x:v',
    vol_uuid: id,
    portals: [
      ['192.0.2.1', '4420', 'tcp'],
      ['2001:db8::1', '4420', 'tcp'],
    ],
    ns_id: 10,
    dhchap_secret: 'key',
  });
  assert.throws(
    () => connectionInfo(id, 'nonsense', 1, null),
    (error) => isFailure(error, 'ExportFailure'),
  );
});

test('a host’s key: the same for a host, another for another, its sum right', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (secret, one, two) => {
      const key = hostKey(secret, one);
      assert.equal(hostKey(secret, one), key);
      assert.match(key, /^DHHC-1:00:[A-Za-z0-9+/]{48}:$/);
      if (one !== two) assert.notEqual(hostKey(secret, two), key);
    }),
  );
  for (const nqn of ['iqn.x', 'nqn.a/b', 'nqn.', 7, undefined, 'nqn.a b', `nqn.${'x'.repeat(300)}`]) {
    assert.equal(hostOf({ nqn }), null);
  }
});
