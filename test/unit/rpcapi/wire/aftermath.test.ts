import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { receive, type WireTopic, wireTables } from '../../../../src/rpcapi/wire/receive.ts';
import { readCapturedMessages } from '../../../support/cinder-fixtures.ts';

/** What the captured request of a method leaves behind, as `table key id column: from -> to`. */
function aftermath(name: string, changes: Readonly<Record<string, unknown>> = {}) {
  const message = readCapturedMessages().find(({ file }) => file === `rpc.${name}.json`)!;
  const { topic, method, version, args } = message;
  const received = receive(topic as WireTopic, { method, version, args: { ...args, ...changes } }, () => 'id');
  assert.equal(received.kind, 'refused', JSON.stringify(received));
  const made = received.kind === 'refused' ? received.aftermath : null;
  const rows = made?.rows.map(({ table, key, column, from, to }) => {
    const target = typeof to === 'string' ? to : to.computed;
    return `${table} by ${key} ${column}: ${from.join('|')} -> ${target}`;
  });
  return { rows: rows ?? null, resource: made?.resource?.type ?? null, reservations: made?.reservations ?? [] };
}

describe('what a refused request leaves behind', () => {
  it('is a volume as it was, or in error', () => {
    const image = { request_spec: { image_id: 'i' } };
    const failed = { rows: ['volumes by id status: creating -> error'], resource: 'volume', reservations: [] };
    assert.deepEqual(aftermath('cinder-volume.create_volume', image), failed);
    assert.deepEqual(aftermath('cinder-scheduler.create_volume', { image_id: 'i' }), failed);
    assert.deepEqual(aftermath('cinder-volume.migrate_volume').rows, [
      'volumes by id status: maintenance -> previous',
      'volumes by id migration_status: starting|migrating -> error',
    ]);
    assert.deepEqual(aftermath('cinder-volume.delete_volume', { unmanage_only: true }).rows, [
      'volumes by id status: unmanaging -> previous',
    ]);
    assert.deepEqual(aftermath('cinder-volume.revert_to_snapshot').rows, [
      'volumes by id status: reverting -> unused or in-use',
      'snapshots by id status: restoring -> available',
    ]);
  });

  it('is a retype of the scheduler with its quota given back', () => {
    const { rows, reservations } = aftermath('cinder-scheduler.retype');
    assert.equal(reservations.length, 4);
    assert.deepEqual(rows, ['volumes by id status: retyping -> unused or in-use']);
  });

  it('is a group with its members', () => {
    assert.deepEqual(aftermath('cinder-scheduler.create_group').rows, ['groups by id status: creating -> error']);
    assert.deepEqual(aftermath('cinder-volume.create_group_snapshot').rows, [
      'group_snapshots by id status: creating -> error',
      'snapshots by group_snapshot_id status: creating -> error',
    ]);
    assert.deepEqual(aftermath('cinder-volume.delete_group').rows, [
      'groups by id status: deleting -> error_deleting',
      'volumes by group_id status: deleting -> error_deleting',
    ]);
  });

  it('is nothing where the caller waits for the answer', () => {
    assert.deepEqual(aftermath('cinder-volume.initialize_connection_snapshot').rows, null);
    assert.deepEqual(aftermath('cinder-volume.get_manageable_volumes').rows, null);
  });

  it('is known of every cast of a volume service that sets a status before', () => {
    const settled = new Set(['failover', 'failover_completed']);
    const casts = Object.entries(wireTables['cinder-volume']).filter(
      ([name, { kind, serve }]) => kind === 'cast' && serve.as === 'refused' && !settled.has(name),
    );
    const captured = new Set(readCapturedMessages().map(({ method }) => method));
    for (const [method] of casts.filter(([name]) => captured.has(name))) {
      assert.notEqual(aftermath(`cinder-volume.${method}`).rows, null, method);
    }
  });
});
