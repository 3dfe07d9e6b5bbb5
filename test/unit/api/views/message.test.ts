import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageOfOperation, messageView } from '../../../../src/api/views/message.ts';
import type { Operation } from '../../../../src/model/operation.ts';
import { requestArguments } from '../../../../src/rpcapi/requests.ts';

const failed: Operation = {
  id: 'c506cd4b-9048-43bc-97ef-0d7dec369b42',
  resourceType: 'volume',
  resourceId: 'a29e3ae3-e8c3-4471-a378-04783b69d2a4',
  method: 'create_volume',
  arguments: {},
  requestId: 'req-1',
  userId: 'admin',
  projectId: 'p',
  owner: 'cinder-scheduler',
  state: 'failed',
  worker: null,
  attempt: 1,
  error: 'No backend can take the volume: node@lvm#pool0 has 1 GiB free.',
  errorCode: 'NoValidBackend',
  result: null,
  createdAt: new Date('2026-11-20T18:23:05Z'),
  startedAt: null,
  finishedAt: new Date('2026-11-20T18:23:06Z'),
};

describe('the message of a failed operation', () => {
  it('says what failed and why', () => {
    assert.deepEqual(messageView(messageOfOperation(failed), 'http://127.0.0.1:8776/v3/p'), {
      id: failed.id,
      event_id: 'VOLUME_VOLUME_001_003',
      user_message: 'create volume: No backend can take the volume: node@lvm#pool0 has 1 GiB free.',
      message_level: 'ERROR',
      created_at: '2026-11-20T18:23:06.000000',
      guaranteed_until: '2026-12-20T18:23:06.000000',
      request_id: 'req-1',
      links: [
        { rel: 'self', href: `http://127.0.0.1:8776/v3/p/messages/${failed.id}` },
        { rel: 'bookmark', href: `http://127.0.0.1:8776/p/messages/${failed.id}` },
      ],
      resource_type: 'VOLUME',
      resource_uuid: failed.resourceId,
    });
  });

  it('shows an attachment as its volume, and a snapshot as itself', () => {
    const attachment = { ...failed, resourceType: 'attachment', method: 'attachment_update', errorCode: null } as const;
    const message = messageOfOperation({ ...attachment, arguments: { volumeId: 'v' } });
    assert.equal(message.resource_uuid, 'v');
    assert.equal(message.event_id, 'VOLUME_VOLUME_004_021');
    const snapshot = {
      ...failed,
      resourceType: 'snapshot',
      method: 'delete_snapshot',
      errorCode: 'SnapshotIsBusy',
    } as const;
    assert.equal(messageOfOperation(snapshot).event_id, 'VOLUME_VOLUME_SNAPSHOT_010_015');
    assert.equal(messageOfOperation(snapshot).resource_type, 'VOLUME_SNAPSHOT');
  });

  it('has words for every method, and for one that it does not know', () => {
    for (const method of [...Object.keys(requestArguments), 'move_mountain']) {
      const { user_message: text, event_id: eventId } = messageOfOperation({ ...failed, method, errorCode: null });
      assert.match(text, /^[a-z ]+: No backend/, method);
      assert.match(eventId, /^VOLUME_VOLUME_\d{3}_\d{3}$/, method);
    }
  });
});
