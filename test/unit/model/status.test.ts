import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AttachmentStatus,
  attachmentSteps,
  attachmentTransitions,
  type Step,
  snapshotTransitions,
  statusFromAttachments,
  type Transition,
  volumeSteps,
  volumeTransitions,
} from '../../../src/model/status.ts';

const statuses: readonly AttachmentStatus[] = [
  'reserved',
  'attaching',
  'attached',
  'detaching',
  'detached',
  'error_attaching',
  'error_detaching',
  'deleted',
];

describe('statusFromAttachments', () => {
  it('says what each attachment alone makes of its volume', () => {
    const expected: Record<AttachmentStatus, readonly [string, string]> = {
      attached: ['in-use', 'attached'],
      detaching: ['detaching', 'attached'],
      attaching: ['attaching', 'attaching'],
      reserved: ['reserved', 'detached'],
      error_attaching: ['error', 'error_attaching'],
      error_detaching: ['error', 'error_detaching'],
      detached: ['available', 'detached'],
      deleted: ['available', 'detached'],
    };
    for (const status of statuses) {
      const result = statusFromAttachments([status]);
      assert.deepEqual([result.status, result.attachStatus], expected[status], status);
    }
    assert.deepEqual(statusFromAttachments([]), { status: 'available', attachStatus: 'detached' });
  });

  it('depends neither on order nor on number, and one of the attachments alone decides', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...statuses, ...statuses], { minLength: 1 }), (list) => {
        const result = statusFromAttachments(list);
        assert.deepEqual(statusFromAttachments(list.toReversed()), result);
        assert.deepEqual(statusFromAttachments([...new Set(list)]), result);
        const alone = list.map((status) => statusFromAttachments([status]));
        assert.ok(alone.some((one) => one.status === result.status && one.attachStatus === result.attachStatus));
      }),
    );
  });

  it('never calls a volume free that somebody uses, and never changes by an attachment that is gone', () => {
    const lists = fc.array(fc.constantFrom(...statuses));
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const used = statusFromAttachments([...before, 'attached', ...after]);
        assert.deepEqual(used, { status: 'in-use', attachStatus: 'attached' });
        const gone = statusFromAttachments([...before, 'deleted', 'detached', ...after]);
        assert.deepEqual(gone, statusFromAttachments([...before, ...after]));
      }),
    );
  });
});

describe('the transition table', () => {
  const tables: Readonly<Record<string, Readonly<Record<string, Transition<string>>>>> = {
    volume: volumeTransitions,
    snapshot: snapshotTransitions,
    attachment: attachmentTransitions,
  };

  it('can be asked again after a failure, and never leaves a resource in the status of its work', () => {
    for (const [resource, table] of Object.entries(tables)) {
      for (const [name, { accepts, during, done, failed }] of Object.entries(table)) {
        const label = `${resource} ${name}`;
        assert.notEqual(done, during, label);
        assert.notEqual(failed, during, label);
        const removal = table.remove ?? table.disconnect;
        const retried = failed === 'previous' || accepts.includes(failed) || removal!.accepts.includes(failed);
        assert.ok(retried, `${label}: nothing leads out of ${failed}`);
      }
    }
  });

  it('gives every status of work to one kind of work alone', () => {
    for (const [resource, table] of Object.entries(tables)) {
      const during = Object.values(table).map((transition) => transition.during);
      assert.equal(new Set(during).size, during.length, resource);
    }
  });

  it('has steps that lead somewhere else, each way back where there is one', () => {
    const steps: readonly Step<string>[] = [...Object.values(volumeSteps), ...Object.values(attachmentSteps)];
    for (const { from, to } of steps) assert.ok(from.length > 0 && !from.includes(to));
    assert.deepEqual(volumeSteps.unreserve, { from: [volumeSteps.reserve.to], to: volumeSteps.reserve.from[0] });
    assert.deepEqual(volumeSteps.rollDetaching, {
      from: [volumeSteps.beginDetaching.to],
      to: volumeSteps.beginDetaching.from[0],
    });
  });
});
