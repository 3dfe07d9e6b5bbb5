import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attachmentDetail, attachmentSummary } from '../../../../src/api/views/attachment.ts';
import type { Attachment } from '../../../../src/model/attachment.ts';

const reserved: Attachment = {
  id: '679db573-6ebe-4e63-80b5-416e5fb05700',
  volumeId: 'a29e3ae3-e8c3-4471-a378-04783b69d2a4',
  instanceId: null,
  attachedHost: null,
  mountpoint: null,
  attachMode: null,
  attachStatus: 'reserved',
  connector: null,
  connectionInfo: null,
  attachTime: null,
  detachTime: null,
  createdAt: new Date('2026-11-20T18:23:06Z'),
  updatedAt: null,
  deletedAt: null,
  deleted: false,
};

describe('the view of an attachment', () => {
  it('shows what is not there yet as clients expect it', () => {
    assert.deepEqual(attachmentDetail(reserved), {
      id: '679db573-6ebe-4e63-80b5-416e5fb05700',
      status: 'reserved',
      instance: null,
      volume_id: 'a29e3ae3-e8c3-4471-a378-04783b69d2a4',
      attached_at: '',
      detached_at: '',
      attach_mode: 'null',
      connection_info: {},
    });
  });

  it('shows the connection and the times in the details only', () => {
    const connectionInfo = { driver_volume_type: 'iscsi', auth_password: 'p', attachment_id: reserved.id };
    const attached: Attachment = {
      ...reserved,
      attachStatus: 'attached',
      attachMode: 'rw',
      connectionInfo,
      attachTime: new Date('2026-11-20T18:23:06.007Z'),
    };
    const detail = attachmentDetail(attached);
    assert.equal(detail.attached_at, '2026-11-20T18:23:06.007000');
    assert.deepEqual(detail.connection_info, connectionInfo);
    assert.deepEqual(Object.keys(attachmentSummary(attached)), ['id', 'status', 'instance', 'volume_id']);
  });
});
