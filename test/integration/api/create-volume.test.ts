import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { BACKEND, type Bed, openBed, type Project, registerBackend } from './bed.ts';

describe('creating a volume', () => {
  let bed: Bed;
  let project: Project;
  before(async () => {
    bed = await openBed();
  });
  after(() => bed.close());
  beforeEach(() => {
    bed.working = true;
    project = bed.project();
  });

  const create = (fields: object, version = '3.70') =>
    project.call('POST', '/volumes', { volume: fields }, { version });
  const count = async () => (await project.call('GET', '/volumes?with_count=1')).body.count;

  it('answers 202 with the volume, and hands the record to the scheduler', async () => {
    bed.working = false;
    const reply = await create({ size: '2', name: 'data', description: 'd', metadata: { tier: 'gold' } });
    assert.equal(reply.status, 202);
    const { volume } = reply.body;
    assert.deepEqual(
      [volume.status, volume.size, volume.name, volume.description, volume.metadata, volume.volume_type],
      ['creating', 2, 'data', 'd', { tier: 'gold' }, '__DEFAULT__'],
    );
    assert.deepEqual([volume.availability_zone, volume.bootable, volume.attachments], ['nova', 'false', []]);
    const [record, ...others] = await bed.store.operations.history(volume.id, 10);
    assert.deepEqual(others, []);
    assert.deepEqual([record?.state, record?.owner, record?.projectId], ['queued', 'cinder-scheduler', project.id]);
    assert.deepEqual(record?.arguments, {
      source: { kind: 'blank' },
      pinnedHost: null,
      availabilityZone: 'nova',
      excludedHosts: [],
      failures: {},
    });
    assert.deepEqual(project.work(volume.id).length, 1);
    const shown = (await project.call('GET', `/volumes/${volume.id}`)).body.volume;
    assert.equal(shown['os-vol-tenant-attr:tenant_id'], project.id);
    assert.equal(shown['os-vol-host-attr:host'], null);
  });

  it('keeps any name, without blanks around it', async () => {
    for (const name of ['', ' a ', 'a\'b"c\\d;$(e)`f`\n\t', '💾'.repeat(255), '日本']) {
      assert.equal((await create({ size: 1, name })).body.volume.name, name.trim());
    }
    assert.equal((await create({ size: 1 })).body.volume.name, null);
  });

  it('refuses what cannot be, and leaves nothing behind', async () => {
    const wrong: readonly (readonly [object, number, RegExp])[] = [
      [{ size: 0 }, 400, /volume\.size/],
      [{ size: 1e12 }, 400, /volume\.size/],
      [{}, 400, /how many GiB/],
      [{ size: 1, name: 'x'.repeat(256) }, 400, /volume\.name/],
      [{ size: 1, name: 'a\0b' }, 400, /NUL/],
      [{ size: 1, metadata: { 'a=b': 'c' } }, 400, /volume\.metadata/],
      [{ size: 1, colour: 'red' }, 400, /colour/],
      [{ size: 1, volume_type: 'none-such' }, 404, /none-such/],
      [{ size: 1, availability_zone: 'mars' }, 400, /mars.*nova/],
      [{ size: 1, snapshot_id: randomUUID() }, 404, /Snapshot/],
      [{ size: 1, source_volid: randomUUID() }, 404, /Volume/],
      [{ size: 1, source_volid: 'x' }, 400, /UUID/],
      [{ size: 1, imageRef: 'cirros' }, 400, /image/],
      [{ size: 1, backup_id: randomUUID() }, 400, /backup/],
      [{ size: 1, group_id: randomUUID() }, 404, /group/],
      [{ size: 1, consistencygroup_id: randomUUID() }, 404, /group/],
      [{ size: 1, multiattach: true }, 400, /multiattach/],
      [{ size: 1, snapshot_id: randomUUID(), source_volid: randomUUID() }, 400, /exclude/],
      [{ size: 1001 }, 413, /1001 GiB/],
    ];
    for (const [fields, status, message] of wrong) {
      const reply = await create(fields);
      assert.equal(reply.status, status, JSON.stringify(fields));
      assert.match(Object.values<{ message: string }>(reply.body)[0]!.message, message);
    }
    assert.equal(await count(), 0);
    const hints = await project.call('POST', '/volumes', {
      volume: { size: 1 },
      'OS-SCH-HNT:scheduler_hints': { same_host: 'x' },
    });
    assert.equal(hints.status, 400);
  });

  it('lets unknown fields pass until 3.53', async () => {
    assert.equal((await create({ size: 1, colour: 'red' }, '3.52')).status, 202);
    assert.equal((await create({ size: 1, colour: 'red' }, '3.53')).status, 400);
  });

  it('takes size, type and zone of a source, and stays on its backend', async () => {
    const source = await project.volume({ size: 2 });
    const snapshot = await project.snapshot(source);
    for (const [fields, argument] of [
      [{ source_volid: source }, { kind: 'volume', volumeId: source }],
      [
        { snapshot_id: snapshot, size: 3 },
        { kind: 'snapshot', snapshotId: snapshot },
      ],
    ] as const) {
      const { volume } = (await create(fields)).body;
      assert.equal(volume.size, 'size' in fields ? 3 : 2);
      const [[method, owner, args]] = project.work(volume.id) as never as [[string, string, Record<string, unknown>]];
      assert.deepEqual(
        [method, owner, args.source, args.pinnedHost],
        ['create_volume', 'cinder-scheduler', argument, `${BACKEND}#pool0`],
      );
      assert.equal((await create({ ...fields, size: 1 })).status, 400);
    }
  });

  it('refuses a source that is not ready, or on no backend', async () => {
    const source = await project.volume();
    await bed.store.volumes.updateIf(source, {}, { status: 'error' });
    assert.match((await create({ source_volid: source })).body.badRequest.message, /is error/);
    await bed.store.volumes.updateIf(source, {}, { status: 'available', host: null });
    assert.match((await create({ source_volid: source })).body.badRequest.message, /no backend/);
  });

  it("refuses a type of another backend than the source's, and says why", async () => {
    const types: string[] = [];
    for (const backend of ['fast', 'slow']) {
      const type = { id: randomUUID(), name: randomUUID(), extraSpecs: { volume_backend_name: backend } };
      types.push((await bed.store.types.insert(type)).name);
    }
    const [fast, slow] = types as [string, string];
    const source = await project.volume({ volume_type: fast });
    const refused = await create({ source_volid: source, volume_type: slow });
    assert.equal(refused.status, 400);
    assert.match(refused.body.badRequest.message, /fast.*slow/);
    assert.equal((await create({ source_volid: source, volume_type: fast })).status, 202);
    assert.equal((await create({ source_volid: source })).body.volume.volume_type, fast);
  });

  it('finds the zones of enabled services only', async () => {
    const id = await registerBackend(bed.store, 'other@fake', 'mars');
    assert.equal((await create({ size: 1, availability_zone: 'mars' })).body.volume.availability_zone, 'mars');
    const source = await project.volume();
    assert.match((await create({ source_volid: source, availability_zone: 'mars' })).body.badRequest.message, /nova/);
    await bed.store.services.setDisabled(id, true, null);
    assert.equal((await create({ size: 1, availability_zone: 'mars' })).status, 400);
  });

  it('gives a volume to several consumers where its type says so', async () => {
    const extraSpecs = { multiattach: '<is> True' };
    const { name } = await bed.store.types.insert({ id: randomUUID(), name: randomUUID(), extraSpecs });
    assert.equal((await create({ size: 1, volume_type: name })).body.volume.multiattach, true);
  });

  it('keeps to the quota, however many ask at once', async () => {
    const replies = await Promise.all(Array.from({ length: 15 }, () => create({ size: 1 })));
    const statuses = replies.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array(10).fill(202), ...Array(5).fill(413)]);
    assert.equal(await count(), 10);
    const refused = replies.find(({ status }) => status === 413)?.body.overLimit;
    assert.match(refused.message, /may have 10 volumes/);
    assert.equal(refused.retryAfter, '0');
  });

  it('keeps to the limits of one volume and of all gigabytes', async () => {
    await bed.store.quotas.setLimits(project.id, { per_volume_gigabytes: 5, gigabytes: 7 });
    assert.match((await create({ size: 6 })).body.overLimit.message, /6 GiB.*5 GiB/);
    const volume = (await create({ size: 4 })).body.volume.id;
    assert.equal((await create({ size: 4 })).status, 413);
    assert.equal((await project.call('POST', '/snapshots', { snapshot: { volume_id: volume } })).status, 413);
    assert.equal((await create({ size: 3 })).status, 202);
  });

  it('says that there is nobody to hold it', async () => {
    const [service] = await bed.store.services.list({ host: BACKEND });
    await bed.store.services.setDisabled(service!.id, true, null);
    try {
      assert.match((await create({ size: 1 })).body.badRequest.message, /no volume service is enabled/);
    } finally {
      await bed.store.services.setDisabled(service!.id, false, null);
    }
  });
});
