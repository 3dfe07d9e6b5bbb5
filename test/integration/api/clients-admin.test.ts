import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { failure } from '../../../src/model/errors.ts';
import {
  type ClientTarget,
  cinderTable,
  clientsMissing,
  openstackJson,
  runCinder,
  runOpenstack,
} from '../../support/openstack-clients.ts';
import { PROJECT } from '../../support/test-api.ts';
import { BACKEND, type Fixture, openFixture } from './fixture.ts';

type Row = Readonly<Record<string, unknown>>;

describe("Debian's clients, unmodified", { skip: clientsMissing() }, () => {
  let fixture: Fixture;
  let target: ClientTarget;
  before(async () => {
    fixture = await openFixture();
    target = { root: await fixture.api.listen(), token: 'admin', projectId: PROJECT };
    const versions = { rpcCurrentVersion: '3.18', objectCurrentVersion: '1.39' };
    const row = { ...versions, availabilityZone: 'nova', disabledOnCreate: false };
    await fixture.store.services.register({ ...row, host: BACKEND, binary: 'cinder-volume', topic: 'cinder-volume' });
    await fixture.store.services.register({
      ...row,
      host: 'node',
      binary: 'cinder-scheduler',
      topic: 'cinder-scheduler',
    });
    const capabilities = {
      backend_state: 'up',
      volume_backend_name: 'fake',
      storage_protocol: 'iSCSI',
      total_capacity_gb: 20,
      free_capacity_gb: 'infinite',
      allocated_capacity_gb: 0,
    };
    fixture.pools = () => [{ name: `${BACKEND}#pool0`, capabilities }];
  });
  after(() => fixture.close());

  const openstack = <T = Row>(...args: readonly string[]) => openstackJson<T>(target, ...args);
  const openstackOk = async (...args: readonly string[]) => {
    const { code, stderr } = await runOpenstack(target, ...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  };
  const cinderOk = async (...args: readonly string[]) => {
    const { code, stderr } = await runCinder(target, ...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  };

  it('openstack: volume types', async () => {
    const created = await openstack(
      'volume',
      'type',
      'create',
      'fast',
      '--private',
      '--property',
      'volume_backend_name=fake',
    );
    assert.equal(created.name, 'fast');
    assert.equal(created.is_public, false);
    await openstackOk('volume', 'type', 'set', 'fast', '--property', 'tier=ssd', '--description', 'SSD');
    await openstackOk('volume', 'type', 'unset', 'fast', '--property', 'volume_backend_name');
    const shown = await openstack('volume', 'type', 'show', 'fast');
    assert.deepEqual([shown.description, shown.properties], ['SSD', { tier: 'ssd' }]);
    const listed = await openstack<Row[]>('volume', 'type', 'list', '--long');
    assert.deepEqual(listed.map(({ Name }) => Name).toSorted(), ['__DEFAULT__', 'fast']);
    const standard = await openstack<Row[]>('volume', 'type', 'list', '--default');
    assert.deepEqual(
      standard.map(({ Name }) => Name),
      ['__DEFAULT__'],
    );
    await openstackOk('volume', 'type', 'delete', 'fast');
    const gone = await runOpenstack(target, 'volume', 'type', 'show', 'fast');
    assert.notEqual(gone.code, 0);
    assert.match(gone.stderr, /No volume ?type with a name or ID of 'fast' exists/);
  });

  it('cinder: volume types, their specs and access lists', async () => {
    const [made] = await cinderTable(target, 'type-create', 'slow', '--is-public', 'False');
    await cinderOk('type-key', 'slow', 'set', 'tier=disk', 'multiattach=<is> True');
    await cinderOk('type-key', 'slow', 'unset', 'multiattach');
    const specs = await cinderTable(target, 'extra-specs-list');
    assert.equal(specs.find(({ Name }) => Name === 'slow')?.extra_specs, "{'tier': 'disk'}");
    await cinderOk('type-access-add', '--volume-type', 'slow', '--project-id', PROJECT);
    const access = await cinderTable(target, 'type-access-list', '--volume-type', 'slow');
    assert.deepEqual(
      access.map((row) => row.Project_ID),
      [PROJECT],
    );
    await cinderOk('type-access-remove', '--volume-type', 'slow', '--project-id', PROJECT);
    await cinderOk('type-update', made!.ID!, '--name', 'slower', '--is-public', 'True');
    assert.equal((await cinderTable(target, 'type-default'))[0]?.Name, '__DEFAULT__');
    assert.ok((await cinderTable(target, 'type-list')).some(({ Name }) => Name === 'slower'));
    await cinderOk('type-delete', 'slower');
  });

  it('services', async () => {
    const listed = await openstack<Row[]>('volume', 'service', 'list', '--long');
    assert.deepEqual(
      listed.map(({ Binary, Host, Status, State }) => [Binary, Host, Status, State]),
      [
        ['cinder-volume', BACKEND, 'enabled', 'up'],
        ['cinder-scheduler', 'node', 'enabled', 'up'],
      ],
    );
    await openstackOk(
      'volume',
      'service',
      'set',
      '--disable',
      '--disable-reason',
      'new disks',
      BACKEND,
      'cinder-volume',
    );
    const [disabled] = await cinderTable(target, 'service-list', '--binary', 'cinder-volume');
    assert.deepEqual(
      [disabled?.Status, disabled?.['Disabled Reason'], disabled?.['Backend State']],
      ['disabled', 'new disks', 'up'],
    );
    await cinderOk('service-enable', BACKEND, 'cinder-volume');
    await cinderOk('freeze-host', BACKEND);
    await cinderOk('thaw-host', BACKEND);
    await openstackOk('volume', 'service', 'set', '--enable', BACKEND, 'cinder-volume');
    const [zone] = await openstack<Row[]>('availability', 'zone', 'list', '--volume');
    assert.deepEqual([zone?.['Zone Name'], zone?.['Zone Status']], ['nova', 'available']);
  });

  it('pools, capabilities, limits, quotas, filters', async () => {
    assert.equal((await cinderTable(target, 'get-pools'))[0]?.Value, `${BACKEND}#pool0`);
    assert.ok((await cinderTable(target, 'get-pools', '--detail')).some(({ Value }) => Value === 'infinite'));
    await cinderOk('get-capabilities', BACKEND);
    await fixture.addVolume({ sizeGb: 4 });
    const limits = await cinderTable(target, 'absolute-limits');
    const used = (name: string) => Number(limits.find(({ Name }) => Name === name)?.Value);
    assert.ok(used('totalGigabytesUsed') >= 4);
    await cinderOk('quota-update', 'another', '--volumes', '20');
    const shown = await cinderTable(target, 'quota-show', 'another');
    assert.equal(shown.find(({ Property }) => Property === 'volumes')?.Value, '20');
    const usage = await cinderTable(target, 'quota-usage', 'another');
    assert.equal(usage.find(({ Type }) => Type === 'volumes')?.Limit, '20');
    assert.ok((await cinderTable(target, 'quota-defaults', 'another')).some(({ Value }) => Value === '1000'));
    assert.ok((await cinderTable(target, 'quota-class-show', 'default')).length > 3);
    assert.ok((await cinderTable(target, 'list-filters')).some(({ Resource }) => Resource === 'attachment'));
    assert.ok((await openstack<Row[]>('extension', 'list', '--volume')).length > 5);
    assert.deepEqual(await openstack<Row[]>('volume', 'qos', 'list'), []);
    assert.deepEqual(await openstack<Row[]>('volume', 'group', 'type', 'list'), []);
    assert.deepEqual(await openstack<Row[]>('block', 'storage', 'cluster', 'list'), []);
    assert.deepEqual(await cinderTable(target, 'default-type-list'), []);
  });

  it('openstack: attachments', async () => {
    const { id } = await fixture.addVolume({ displayName: 'attached' });
    const instance = '3b5d4f1c-0d3a-4a0e-8a6c-1a1f0c2f4d11';
    // openstack would ask a compute service for the instance first.
    const created = await cinderTable(target, 'attachment-create', id, instance);
    const attachment = created.find(({ Property }) => Property === 'id')!.Value!;
    assert.equal(created.find(({ Property }) => Property === 'status')?.Value, 'reserved');
    const connected = await openstack(
      ...['volume', 'attachment', 'set', attachment, '--initiator', 'iqn.1993-08.org.debian:01:1111'],
      ...['--ip', '127.0.0.1', '--host', 'computenode', '--platform', 'x86_64', '--os-type', 'linux'],
    );
    assert.equal(connected.Status, 'attaching');
    assert.equal((connected.Properties as Row).driver_volume_type, 'iscsi');
    await openstackOk('volume', 'attachment', 'complete', attachment);
    const shown = await openstack('volume', 'attachment', 'show', attachment);
    assert.equal(shown.Status, 'attached');
    const listed = await openstack<Row[]>('volume', 'attachment', 'list', '--volume-id', id);
    assert.deepEqual(
      listed.map(({ ID }) => ID),
      [attachment],
    );
    await openstackOk('volume', 'attachment', 'delete', attachment);
    assert.equal((await fixture.store.volumes.get(id))?.status, 'available');
    await fixture.store.volumes.updateIf(id, {}, { status: 'error' });
    const refused = await runCinder(target, 'attachment-create', id, instance);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /is error; to reserve it must be available/);
  });

  it('cinder: attachments, connected at once, and what failed', async () => {
    const { id } = await fixture.addVolume({ displayName: 'connected' });
    const initiator = ['--connect', 'True', '--initiator', 'iqn.1993-08.org.debian:01:1111', '--host', 'computenode'];
    const created = await cinderTable(target, 'attachment-create', 'connected', ...initiator, '--mode', 'ro');
    assert.ok(created.some(({ Property, Value }) => Property === 'driver_volume_type' && Value === 'iscsi'));
    const [listed] = await cinderTable(target, 'attachment-list', '--volume-id', id);
    assert.equal(listed?.Status, 'attaching');
    const attachment = listed!.ID!;
    await cinderOk('attachment-update', attachment, ...initiator.slice(2));
    await cinderOk('attachment-complete', attachment);
    await cinderOk('attachment-show', attachment);
    fixture.standIn.failNext(failure('ExportFailure', { id, reason: 'the target is gone' }));
    const failed = await runCinder(target, 'attachment-delete', attachment);
    assert.match(failed.stderr, /the target is gone/);
    const [message] = await cinderTable(target, 'message-list', '--resource_uuid', id);
    assert.match(message?.['User Message'] ?? '', /delete attachment: .*the target is gone/);
    await cinderOk('message-show', message!.ID!);
    const [byOpenstack] = await openstack<Row[]>('volume', 'message', 'list');
    assert.equal(byOpenstack?.ID, message!.ID);
    await cinderOk('attachment-delete', attachment);
    assert.deepEqual(await cinderTable(target, 'attachment-list', '--volume-id', id), []);
  });
});
