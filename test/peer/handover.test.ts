/**
 * One volume service, moved between Ashlar and Cinder while requests wait: the same host name, the same database and the
 * same broker, the same files.
 */
import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BesideCinder, missingBeside, PROJECT, startBesideCinder, until } from '../support/beside-cinder.ts';
import { loginOf, readPattern, writePattern } from '../support/initiator.ts';

const connector = { host: 'compute', initiator: 'iqn.1993-08.org.debian:01:abc', ip: '127.0.0.1', multipath: false };

describe('a volume service changes hands', { skip: missingBeside() ?? false, timeout: 600_000 }, () => {
  let bed: BesideCinder;
  before(async () => {
    bed = await startBesideCinder();
  });
  after(() => bed?.close());

  const ours = { start: () => bed.startOurs(), stop: () => bed.stopOurs() };
  const theirs = { start: () => bed.peer.start('cinder-volume'), stop: () => bed.peer.stop('cinder-volume') };
  const create = async (body: object = {}) => {
    const reply = await bed.call('POST', '/volumes', { volume: { size: 1, ...body } });
    assert.equal(reply.status, 202, JSON.stringify(reply.body));
    return String(reply.body.volume.id);
  };
  const act = async (id: string, action: object) => {
    const reply = await bed.call('POST', `/volumes/${id}/action`, action);
    assert.equal(reply.status, 202, JSON.stringify(reply.body));
    return reply.body;
  };
  const remove = async (path: string) => assert.equal((await bed.call('DELETE', path)).status, 202);
  const show = async (path: string) => Object.values((await bed.call('GET', path)).body)[0] as Record<string, unknown>;
  const becomes = (path: string, wanted: Readonly<Record<string, unknown>>) =>
    until(bed, `${path} to be ${JSON.stringify(wanted)}`, async () => {
      const row = await show(path);
      return Object.entries(wanted).every(([key, value]) => row[key] === value) ? true : undefined;
    });
  const isGone = (path: string) =>
    until(bed, `${path} to go`, async () => ((await bed.call('GET', path)).status === 404 ? true : undefined));
  const quotaAgrees = async () => {
    const { volumes } = (await bed.call('GET', '/volumes/detail')).body;
    const { snapshots } = (await bed.call('GET', '/snapshots/detail')).body;
    const sizes = [...volumes, ...snapshots].reduce((sum: number, { size }: { size: number }) => sum + size, 0);
    const wanted = JSON.stringify([
      [volumes.length, 0],
      [snapshots.length, 0],
      [sizes, 0],
    ]);
    await until(bed, `the quota to be ${wanted}`, async () => {
      const { quota_set: set } = (await bed.call('GET', `/os-quota-sets/${PROJECT}?usage=true`)).body;
      const found = ['volumes', 'snapshots', 'gigabytes'].map((each) => [set[each].in_use, set[each].reserved]);
      return JSON.stringify(found) === wanted ? true : undefined;
    });
  };

  /** Asked while `from` stops and nobody is there; done by `to`. Leaves one volume. */
  async function queuedThenServed(from: typeof ours, to: typeof ours): Promise<string> {
    const [kept, larger, unwanted, source] = [await create(), await create(), await create(), await create()];
    for (const id of [kept, larger, unwanted, source]) await becomes(`/volumes/${id}`, { status: 'available' });
    // Asked while it stops: done by it, or left to the next.
    const stopping = from.stop();
    const during = await Promise.all([create(), create()]);
    await stopping;
    const waiting = await create();
    await act(larger, { 'os-extend': { new_size: 2 } });
    await remove(`/volumes/${unwanted}`);
    const { snapshot } = (await bed.call('POST', '/snapshots', { snapshot: { volume_id: source } })).body;
    assert.equal((await show(`/volumes/${waiting}`)).status, 'creating');
    assert.equal((await show(`/volumes/${unwanted}`)).status, 'deleting');
    await to.start();
    for (const id of [...during, waiting]) await becomes(`/volumes/${id}`, { status: 'available' });
    await becomes(`/volumes/${larger}`, { status: 'available', size: 2 });
    await isGone(`/volumes/${unwanted}`);
    await becomes(`/snapshots/${snapshot.id}`, { status: 'available' });
    await quotaAgrees();
    await remove(`/snapshots/${snapshot.id}`);
    await isGone(`/snapshots/${snapshot.id}`);
    for (const id of [larger, source, waiting, ...during]) await remove(`/volumes/${id}`);
    for (const id of [larger, source, waiting, ...during]) await isGone(`/volumes/${id}`);
    await quotaAgrees();
    return kept;
  }

  test('from Ashlar to Cinder, and what was connected stays so', async () => {
    const data = await create({ name: 'data' });
    await becomes(`/volumes/${data}`, { status: 'available' });
    const body = { attachment: { volume_uuid: data, connector } };
    const { attachment } = (await bed.call('POST', '/attachments', body)).body;
    const login = loginOf(attachment.connection_info);
    assert.equal(await writePattern(login, 0x5a), 'ok');
    assert.equal((await bed.call('POST', `/attachments/${attachment.id}/action`, { 'os-complete': {} })).status, 204);

    const kept = await queuedThenServed(ours, theirs);
    await becomes(`/volumes/${data}`, { status: 'in-use' });
    // The target daemon is another process: nobody is cut off.
    assert.equal(await readPattern(login, 0x5a), 'ok');
    // A row that we made is one of theirs.
    await act(kept, { 'os-extend': { new_size: 2 } });
    await becomes(`/volumes/${kept}`, { status: 'available', size: 2 });
    assert.match(await bed.peer.manage('service', 'list'), /cinder-volume\s+node@fake\s+nova\s+enabled\s+:-\)/);
    await remove(`/volumes/${kept}`);
    await isGone(`/volumes/${kept}`);
  });

  test('and back', async () => {
    const kept = await queuedThenServed(theirs, ours);
    // A volume that they made is one of ours.
    const body = { attachment: { volume_uuid: kept, connector } };
    const made = (await bed.call('POST', '/attachments', body)).body.attachment;
    assert.equal(await writePattern(loginOf(made.connection_info), 3), 'ok');
    assert.equal((await bed.call('DELETE', `/attachments/${made.id}`)).status, 200);
    await remove(`/volumes/${kept}`);
    await isGone(`/volumes/${kept}`);
    const [data] = (await bed.call('GET', '/volumes/detail?name=data')).body.volumes;
    assert.equal(data.status, 'in-use');
    const { attachment_id: id } = data.attachments[0];
    const { attachment } = (await bed.call('GET', `/attachments/${id}`)).body;
    assert.equal(await readPattern(loginOf(attachment.connection_info), 0x5a), 'ok');
    assert.equal((await bed.call('DELETE', `/attachments/${id}`)).status, 200);
    await becomes(`/volumes/${data.id}`, { status: 'available' });
    await remove(`/volumes/${data.id}`);
    await isGone(`/volumes/${data.id}`);
    await quotaAgrees();
  });

  test('ours is killed with requests under way and waiting, and comes back', async () => {
    const before = await Promise.all([create(), create()]);
    await bed.killOurs();
    const later = await create();
    await bed.startOurs();
    for (const id of [...before, later]) await becomes(`/volumes/${id}`, { status: 'available' });
    for (const id of [...before, later]) await remove(`/volumes/${id}`);
    for (const id of [...before, later]) await isGone(`/volumes/${id}`);
    await quotaAgrees();
  });

  test('what a backend of ours took and could not do, since it did not start, is done by Cinder', async () => {
    const id = await create();
    await becomes(`/volumes/${id}`, { status: 'available' });
    await bed.stopOurs();
    const folder = join(bed.filesDir, 'volumes');
    await rename(folder, `${folder}.aside`);
    await writeFile(folder, 'no directory');
    await bed.startOurs({ wait: false });
    await remove(`/volumes/${id}`);
    await until(bed, 'ours to take it', async () => {
      return /"method":"delete_volume".*node@fake is down/.test(await bed.ourLog()) ? true : undefined;
    });
    await bed.stopOurs();
    assert.equal((await show(`/volumes/${id}`)).status, 'deleting');
    await rm(folder);
    await rename(`${folder}.aside`, folder);
    await theirs.start();
    await isGone(`/volumes/${id}`);
    // And once ours is back, its record of it ends, too.
    await theirs.stop();
    await ours.start();
    await until(bed, 'the record to end', async () =>
      (await bed.store.operations.history(id, 10)).every(({ finishedAt }) => finishedAt !== null) ? true : undefined,
    );
  });
});
