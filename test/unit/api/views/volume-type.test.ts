import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { volumeTypeView } from '../../../../src/api/views/volume-type.ts';
import type { VolumeType } from '../../../../src/model/volume-type.ts';

const type: VolumeType = {
  id: '1f418c0e-3c16-405c-aa2a-a903b580397f',
  name: 'fast',
  description: null,
  isPublic: false,
  qosSpecsId: null,
  extraSpecs: { volume_backend_name: 'lvm', multiattach: '<is> True' },
  createdAt: new Date(0),
  updatedAt: null,
  deletedAt: null,
  deleted: false,
};
const admin = { requestId: 'req-1', userId: 'a', projectId: 'p', isAdmin: true, roles: ['admin'] };

describe('the view of a volume type', () => {
  it('shows an administrator everything', () => {
    assert.deepEqual(volumeTypeView(type, admin), {
      id: '1f418c0e-3c16-405c-aa2a-a903b580397f',
      name: 'fast',
      is_public: false,
      description: null,
      extra_specs: { volume_backend_name: 'lvm', multiattach: '<is> True' },
      qos_specs_id: null,
      'os-volume-type-access:is_public': false,
    });
  });

  it("shows others nothing of the deployment's inside", () => {
    const view = volumeTypeView(type, { ...admin, isAdmin: false, roles: ['member'] });
    assert.deepEqual(view.extra_specs, { multiattach: '<is> True' });
    assert.equal('qos_specs_id' in view, false);
  });
});
