import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { VersionedObject } from '../../../../src/rpcapi/objects/objects.ts';
import {
  decodeArguments,
  type Received,
  receive,
  type WireTopic,
  wireTables,
} from '../../../../src/rpcapi/wire/receive.ts';
import { type CapturedMessage, readCapturedMessages } from '../../../support/cinder-fixtures.ts';

const messages = readCapturedMessages().filter(({ topic }) => topic in wireTables);
const NEW_ID = 'cccccccc-0000-4000-8000-000000000000';

function take({ topic, method, version, args }: Pick<CapturedMessage, 'topic' | 'method' | 'version' | 'args'>) {
  return receive(topic as WireTopic, { method, version, args }, () => NEW_ID);
}

function captured(name: string): CapturedMessage {
  return messages.find(({ file }) => file === `rpc.${name}.json`)!;
}

/** The request of a captured message, with some of its arguments changed. */
function request(name: string, changes: Readonly<Record<string, unknown>> = {}) {
  const message = captured(name);
  const received = take({ ...message, args: { ...message.args, ...changes } });
  assert.equal(received.kind, 'operation', JSON.stringify(received));
  const { request } = received as Extract<Received, { kind: 'operation' }>;
  const { method, arguments: args, ...rest } = request;
  return { ...rest, args };
}

/** A captured object with some fields changed. */
function withFields(value: unknown, changes: object): unknown {
  const object = value as Record<string, object>;
  return { ...object, 'versioned_object.data': { ...object['versioned_object.data'], ...changes } };
}

const V1 = 'a29e3ae3-e8c3-4471-a378-04783b69d2a4';
const MULTI = '066712b1-89ba-4924-a15a-0ac75be1437b';
const open = { owner: null };

describe('captured requests', () => {
  for (const message of messages) {
    it(`${message.file} is taken, or refused with the reason`, () => {
      const received = take(message);
      const entry = wireTables[message.topic as WireTopic][message.method];
      assert.equal(received.kind, entry?.serve.as ?? 'unknown method', JSON.stringify(received));
    });
  }

  it('create_volume: a blank volume at its place', () => {
    const args = {
      source: { kind: 'blank' },
      pinnedHost: null,
      availabilityZone: 'nova',
      excludedHosts: [],
      failures: {},
    };
    const volume = { resourceType: 'volume', resourceId: MULTI, ...open };
    assert.deepEqual(request('cinder-volume.create_volume'), { ...volume, args });
    const pinned = { ...args, pinnedHost: 'node@lvm#pool0' };
    assert.deepEqual(request('cinder-volume.create_volume', { allow_reschedule: false }), { ...volume, args: pinned });
    const owner = 'cinder-scheduler';
    assert.deepEqual(request('cinder-scheduler.create_volume'), { ...volume, owner, args });
  });

  it('create_volume: the source, from a spec that is an object, a dictionary or missing', () => {
    const { volume, request_spec: spec } = captured('cinder-volume.create_volume').args;
    const fromSnapshot = { kind: 'snapshot', snapshotId: 's1' };
    const sourceOf = (changes: Readonly<Record<string, unknown>>) => {
      const { args } = request('cinder-volume.create_volume', changes);
      assert.ok('source' in args && args.pinnedHost === 'node@lvm#pool0');
      return args.source;
    };
    assert.deepEqual(sourceOf({ request_spec: withFields(spec, { snapshot_id: 's1' }) }), fromSnapshot);
    assert.deepEqual(sourceOf({ request_spec: { snapshot_id: 's1', source_volid: null } }), fromSnapshot);
    const fromRow = { request_spec: null, volume: withFields(volume, { snapshot_id: 's1', source_volid: 'v1' }) };
    assert.deepEqual(sourceOf(fromRow), fromSnapshot);
    assert.deepEqual(sourceOf({ request_spec: { source_volid: 'v1' } }), { kind: 'volume', volumeId: 'v1' });
  });

  it('create_volume: the places that were tried before this one', () => {
    const retry = { num_attempts: 2, backends: ['other@lvm#p', 'node@lvm#pool0'] };
    const { args } = request('cinder-volume.create_volume', { filter_properties: { retry } });
    assert.deepEqual('excludedHosts' in args && args.excludedHosts, ['other@lvm#p']);
    const older = { retry: { num_attempts: 1, hosts: ['old@lvm#p'] } };
    const { args: again } = request('cinder-scheduler.create_volume', { filter_properties: older });
    assert.deepEqual('excludedHosts' in again && again.excludedHosts, ['old@lvm#p']);
  });

  it('delete_volume, extend_volume and snapshots', () => {
    const { resourceId, args } = request('cinder-volume.delete_volume', { cascade: true });
    assert.match(resourceId, /^[0-9a-f-]{36}$/);
    assert.deepEqual(args, { force: false, cascade: true });
    const { reservations } = captured('cinder-volume.extend_volume').args;
    const extend = { resourceType: 'volume', resourceId: V1, owner: null, args: { newSizeGb: 3, reservations } };
    assert.deepEqual(request('cinder-volume.extend_volume'), extend);
    assert.deepEqual(request('cinder-scheduler.extend_volume').owner, 'cinder-scheduler');
    const snapshot = {
      resourceType: 'snapshot',
      resourceId: '78e854b5-0fcf-46eb-8927-6e9b81ceb3b1',
      ...open,
      args: { volumeId: 'd0d054f4-129e-45c3-8598-69b2fbac3d6f' },
    };
    assert.deepEqual(request('cinder-volume.create_snapshot'), snapshot);
    assert.equal(request('cinder-scheduler.create_snapshot').owner, 'node@lvm');
    assert.equal(request('cinder-volume.delete_snapshot').resourceType, 'snapshot');
  });

  it('attachments and connections', () => {
    const { connector, attachment_id: id } = captured('cinder-volume.attachment_update').args;
    const attachment = { resourceType: 'attachment', resourceId: id, ...open };
    const args = { volumeId: V1, connector, created: false };
    assert.deepEqual(request('cinder-volume.attachment_update'), { ...attachment, args });
    assert.deepEqual(request('cinder-volume.attachment_delete').args, { volumeId: V1 });
    const volume = { resourceType: 'volume', resourceId: V1, ...open };
    assert.deepEqual(request('cinder-volume.initialize_connection'), { ...volume, args: { connector } });
    const end = { ...volume, args: { connector, force: false } };
    assert.deepEqual(request('cinder-volume.terminate_connection'), end);
    assert.deepEqual(request('cinder-volume.terminate_connection', { connector: null }).args, {
      connector: null,
      force: false,
    });
    const attach = {
      attachmentId: NEW_ID,
      instanceId: null,
      hostName: 'computenode',
      mountpoint: '/dev/vdb',
      mode: 'rw',
    };
    assert.deepEqual(request('cinder-volume.attach_volume'), { ...volume, args: attach });
    const detach = { ...volume, args: { attachmentId: '0f4c28e1-12c2-4513-85bb-d11d6586d65a' } };
    assert.deepEqual(request('cinder-volume.detach_volume'), detach);
  });

  it('older callers leave out what came later', () => {
    const { volume: _, ...older } = captured('cinder-volume.attach_volume').args;
    const received = take({ ...captured('cinder-volume.attach_volume'), version: '3.0', args: older });
    assert.equal(received.kind, 'operation');
  });
});

describe('decoded arguments', () => {
  it('have their defaults, and objects of older peers are lifted', () => {
    const { volume } = captured('cinder-volume.secure_file_operations_enabled').args;
    assert.equal((volume as Record<string, unknown>)['versioned_object.version'], '1.8');
    const decoded = decodeArguments('cinder-volume', 'delete_volume', { volume });
    assert.ok(decoded.ok);
    const { volume: lifted, ...others } = decoded.value as { volume: VersionedObject<'Volume'> };
    assert.deepEqual(others, { unmanage_only: false, cascade: false });
    assert.deepEqual([lifted.version, lifted.fields.use_quota], ['1.9', true]);
  });
});

describe('what is not served', () => {
  const refuse = (name: string, changes: Readonly<Record<string, unknown>>) => {
    const message = captured(name);
    const received = take({ ...message, args: { ...message.args, ...changes } });
    assert.ok(received.kind === 'refused', JSON.stringify(received));
    return received.reason;
  };

  it('is refused with the reason: images, backups, encryption, unmanaging', () => {
    const { volume } = captured('cinder-volume.create_volume').args;
    assert.match(refuse('cinder-scheduler.create_volume', { image_id: 'i' }), /images/);
    assert.match(refuse('cinder-scheduler.create_volume', { backup_id: 'b' }), /Backups/);
    assert.match(refuse('cinder-volume.create_volume', { request_spec: { image_id: 'i' } }), /images/);
    const encrypted = { volume: withFields(volume, { encryption_key_id: 'k' }) };
    assert.match(refuse('cinder-volume.create_volume', encrypted), /Encrypted/);
    assert.match(refuse('cinder-volume.delete_volume', { unmanage_only: true }), /management/);
    assert.match(refuse('cinder-volume.delete_snapshot', { unmanage_only: true }), /management/);
  });

  it('is refused before its arguments are looked at', () => {
    assert.equal(
      receive('cinder-volume', { method: 'migrate_volume', version: '3.5', args: 7 }, () => '').kind,
      'refused',
    );
  });

  it('has a version that is too new, or a name that there is not', () => {
    const ask = (method: string, version: unknown) =>
      receive('cinder-volume', { method, version, args: {} }, () => '').kind;
    assert.equal(ask('freeze_host', '3.18'), 'direct');
    for (const version of ['3.19', '4.0', '2.0', '3', null, undefined, 3]) {
      assert.equal(ask('freeze_host', version), 'unknown version', String(version));
    }
    for (const method of ['no_such_method', 'constructor', '__proto__', 'toString', '']) {
      assert.equal(ask(method, '3.0'), 'unknown method', method);
    }
  });
});

describe('arguments that do not fit', () => {
  const faults = (name: string, change: (args: Record<string, unknown>) => void) => {
    const message = captured(name);
    const args = structuredClone(message.args) as Record<string, unknown>;
    change(args);
    const received = take({ ...message, args });
    assert.ok(received.kind === 'malformed', JSON.stringify(received));
    return received.faults.map(({ path, reason }) => `${path} ${reason}`);
  };

  it('are told by name', () => {
    assert.deepEqual(
      faults('cinder-volume.extend_volume', (args) => {
        delete args.new_size;
        args.size = 3;
      }),
      ['size is not among the arguments', 'new_size is missing'],
    );
    assert.deepEqual(
      faults('cinder-volume.delete_volume', (args) => {
        args.volume = { id: 'x' };
        args.cascade = 'yes';
      }),
      ['volume is no versioned object', 'cascade is neither true nor false'],
    );
    const nameless = faults('cinder-volume.create_snapshot', (args) => {
      args.snapshot = withFields(args.snapshot, { volume_id: null });
    });
    assert.deepEqual(nameless, ['snapshot.volume_id is not set']);
  });

  it('are told where the operation itself would not take them', () => {
    assert.equal(faults('cinder-volume.extend_volume', (args) => Object.assign(args, { new_size: 0 })).length, 1);
    assert.match(faults('cinder-volume.attach_volume', (args) => Object.assign(args, { mode: 'x' }))[0]!, /^mode /);
  });

  it('never raise an exception, whatever they are', () => {
    const anyMessage = fc.constantFrom(...messages);
    fc.assert(
      fc.property(anyMessage, fc.jsonValue({ maxDepth: 4 }), fc.nat(), ({ topic, method, version, args }, junk, at) => {
        const whole = receive(topic as WireTopic, { method, version, args: junk }, () => NEW_ID);
        assert.ok(whole.kind.length > 0);
        const names = Object.keys(args);
        const name = names[at % names.length] ?? 'x';
        take({ topic, method, version, args: { ...args, [name]: junk } });
        const { [name]: _, ...rest } = args;
        take({ topic, method, version, args: rest });
        receive(topic as WireTopic, { method: JSON.stringify(junk), version: junk, args }, () => NEW_ID);
      }),
      { numRuns: 500 },
    );
  });
});
