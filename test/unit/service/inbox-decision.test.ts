import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Operation } from '../../../src/model/operation.ts';
import type { OperationMethod } from '../../../src/rpcapi/requests.ts';
import { decideRecord } from '../../../src/service/inbox-decision.ts';

const US = 'node@lvm';
const operation = (changes: Partial<Operation>): Operation =>
  ({ id: 'o', method: 'create_volume', owner: US, state: 'queued', ...changes }) as Operation;
const ask = (method: OperationMethod, history: readonly Operation[]) =>
  decideRecord({ id: 'new', method, owner: US }, history);

describe('which record a message is about', () => {
  it('is its own, where it came before', () => {
    const mine = operation({ id: 'new', state: 'done' });
    assert.deepEqual(ask('create_volume', [operation({ id: 'later' }), mine]), { kind: 'known', id: 'new' });
    assert.deepEqual(ask('initialize_connection', [mine]), { kind: 'known', id: 'new' });
  });

  it('is an unfinished one of the same method where the status of the resource lets only one be', () => {
    assert.deepEqual(ask('create_volume', [operation({})]), { kind: 'known', id: 'o' });
    assert.deepEqual(ask('create_volume', [operation({ state: 'failed' })]), { kind: 'record' });
    assert.deepEqual(ask('create_volume', [operation({ method: 'extend_volume' })]), { kind: 'record' });
    const connecting = operation({ method: 'initialize_connection' });
    assert.deepEqual(ask('initialize_connection', [connecting]), { kind: 'record' });
  });

  it('is taken over from who passed the work on, unless he works on it', () => {
    const theirs = operation({ owner: 'cinder-scheduler' });
    assert.deepEqual(ask('create_volume', [theirs]), { kind: 'take over', id: 'o', from: 'cinder-scheduler' });
    assert.deepEqual(ask('create_volume', [{ ...theirs, state: 'running' }]), { kind: 'record' });
  });

  it('is never one that has ended, but its own', () => {
    const state = fc.constantFrom('queued', 'running', 'done', 'failed');
    const owner = fc.constantFrom(US, 'cinder-scheduler', 'other@lvm');
    const method = fc.constantFrom('create_volume', 'delete_volume', 'attach_volume');
    const record = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'new'), state, owner, method });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), method, (history, asked) => {
        const decision = ask(asked as OperationMethod, history as unknown as Operation[]);
        if (decision.kind === 'record' || decision.id === 'new') return;
        const of = history.find(
          ({ id, method: m, state: s }) => id === decision.id && m === asked && /queued|running/.test(s),
        );
        assert.ok(of !== undefined && asked !== 'attach_volume');
      }),
    );
  });
});
