import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { availabilityZoneViews } from '../../../../src/api/views/availability-zone.ts';
import { hostView, serviceView } from '../../../../src/api/views/service.ts';
import type { Service } from '../../../../src/model/service.ts';

const service: Service = {
  id: 1,
  uuid: '89c25d23-2ced-449c-9c67-56f26231036d',
  host: 'node@lvm',
  binary: 'cinder-volume',
  topic: 'cinder-volume',
  reportCount: 3,
  availabilityZone: 'nova',
  disabled: false,
  disabledReason: null,
  frozen: false,
  clusterName: null,
  activeBackendId: null,
  replicationStatus: 'disabled',
  rpcCurrentVersion: '3.18',
  objectCurrentVersion: '1.39',
  createdAt: new Date('2026-11-20T18:00:00Z'),
  updatedAt: new Date('2026-11-20T18:23:06Z'),
  heartbeatAgeSeconds: 60,
};
const options = { serviceDownTimeSeconds: 60, backendStates: new Map([['node@lvm', 'down']]) };

describe('the view of a service', () => {
  it('has the keys of each version', () => {
    assert.deepEqual(serviceView(service, { ...options, version: 0 }), {
      binary: 'cinder-volume',
      host: 'node@lvm',
      zone: 'nova',
      status: 'enabled',
      state: 'up',
      updated_at: '2026-11-20T18:23:06.000000',
      disabled_reason: null,
      replication_status: 'disabled',
      active_backend_id: null,
      frozen: false,
    });
    assert.equal('cluster' in serviceView(service, { ...options, version: 6 }), false);
    assert.equal('cluster' in serviceView(service, { ...options, version: 7 }), true);
    assert.equal('backend_state' in serviceView(service, { ...options, version: 48 }), false);
    assert.equal(serviceView(service, { ...options, version: 49 }).backend_state, 'down');
    const unheardOf = serviceView({ ...service, host: 'node@new' }, { ...options, version: 49 });
    assert.equal(unheardOf.backend_state, null);
  });

  it('keeps what only volume services have to them', () => {
    const view = serviceView({ ...service, binary: 'cinder-scheduler' }, { ...options, version: 70 });
    for (const key of ['backend_state', 'replication_status', 'active_backend_id', 'frozen'])
      assert.equal(key in view, false, key);
  });

  it('is down once the last heartbeat is older than the limit', () => {
    assert.equal(serviceView({ ...service, heartbeatAgeSeconds: 61 }, { ...options, version: 0 }).state, 'down');
    const host = hostView({ ...service, heartbeatAgeSeconds: 61, disabled: true }, 60);
    assert.equal(host['service-status'], 'unavailable');
    assert.equal(host['service-state'], 'disabled');
  });
});

describe('availability zones', () => {
  it('are available while one of their services is enabled', () => {
    const services = [
      { ...service, availabilityZone: 'a', disabled: true },
      { ...service, availabilityZone: 'b', disabled: true },
      { ...service, availabilityZone: 'a', disabled: false },
    ];
    assert.deepEqual(availabilityZoneViews(services), [
      { zoneName: 'a', zoneState: { available: true } },
      { zoneName: 'b', zoneState: { available: false } },
    ]);
    assert.deepEqual(availabilityZoneViews([]), []);
  });
});
