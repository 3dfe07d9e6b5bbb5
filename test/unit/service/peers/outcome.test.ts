import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Operation } from '../../../../src/model/operation.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { type OperationMethod, requestArguments } from '../../../../src/rpcapi/requests.ts';
import { ORPHANED_AFTER_MS, peerOutcome } from '../../../../src/service/peers/outcome.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');

function operation(method: string, args: Operation['arguments'] = {}, ageMs = 0): Operation {
  return { method, arguments: args, owner: 'node@lvm', createdAt: new Date(NOW - ageMs) } as unknown as Operation;
}

function outcome(method: string, resource: object | null, args: Operation['arguments'] = {}) {
  return peerOutcome(operation(method, args), resource as Volume | Snapshot | null, NOW).kind;
}

/** What each cast waits in, succeeds with and fails with. */
const rows = [
  ['create_volume', { status: 'creating' }, { status: 'available' }, { status: 'error' }],
  ['create_volume', { status: 'downloading' }, { status: 'in-use' }, null],
  ['delete_volume', { status: 'deleting' }, null, { status: 'error_deleting' }],
  ['delete_volume', { status: 'deleting' }, { status: 'deleted' }, { status: 'available' }],
  ['create_snapshot', { status: 'creating' }, { status: 'available' }, { status: 'error' }],
  ['create_snapshot', { status: 'creating' }, { status: 'deleting' }, null],
  ['delete_snapshot', { status: 'deleting' }, null, { status: 'error_deleting' }],
  ['delete_snapshot', { status: 'deleting' }, { status: 'deleted' }, { status: 'available' }],
] as const;

test('a cast is over when its resource has left the status in which it waits', () => {
  for (const [method, waiting, done, failed] of rows) {
    const kinds = [waiting, done, failed].map((resource) => outcome(method, resource));
    assert.deepEqual(kinds, ['waiting', 'done', 'failed'], method);
  }
});

test('an extension is done where the volume has the size, whatever became of it since', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (sizeGb, newSizeGb) => {
      const kind = (status: string) => outcome('extend_volume', { status, sizeGb }, { newSizeGb });
      assert.equal(kind('extending'), 'waiting');
      for (const status of ['available', 'in-use', 'deleting', 'error_extending']) {
        assert.equal(kind(status), sizeGb >= newSizeGb ? 'done' : 'failed');
      }
    }),
  );
  assert.equal(outcome('extend_volume', null, { newSizeGb: 2 }), 'failed');
});

test('a retype is done where the volume has the type', () => {
  const args = { newTypeId: 'gold' };
  assert.equal(outcome('retype', { status: 'retyping', volumeTypeId: 'iron' }, args), 'waiting');
  assert.equal(outcome('retype', { status: 'available', volumeTypeId: 'gold' }, args), 'done');
  assert.equal(outcome('retype', { status: 'available', volumeTypeId: 'iron' }, args), 'failed');
});

test('a call ends with its answer; only one whose caller is long gone is given up', () => {
  const calls = ['attachment_update', 'attachment_delete', 'initialize_connection', 'terminate_connection'] as const;
  const ages = fc.integer({ min: 0, max: 2 * ORPHANED_AFTER_MS });
  fc.assert(
    fc.property(fc.constantFrom(...calls), ages, (method, ageMs) => {
      const { kind } = peerOutcome(operation(method, {}, ageMs), null, NOW);
      assert.equal(kind, ageMs < ORPHANED_AFTER_MS ? 'waiting' : 'failed');
    }),
  );
});

test('every method comes to an end: none waits for ever on a row that is gone', () => {
  for (const method of Object.keys(requestArguments) as OperationMethod[]) {
    const old = peerOutcome(operation(method, {}, 2 * ORPHANED_AFTER_MS), null, NOW);
    assert.notEqual(old.kind, 'waiting', method);
  }
});

test('a failure says who did not do what', () => {
  const { kind, ...said } = peerOutcome(operation('create_volume'), { status: 'error' } as Volume, NOW);
  assert.equal(kind, 'failed');
  assert.match(JSON.stringify(said), /node@lvm did not do create_volume: it left status error\./);
});
