/** What is told of a volume's life through API, scheduler and volume service, and by whom. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { onMeasurement } from '../../../src/lib/measure.ts';
import type { NotificationMessage } from '../../../src/rpc/notification.ts';
import { createNotifier, type Notifier } from '../../../src/rpc/notifier.ts';
import { sendAnnouncements } from '../../../src/service/announce.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

const sent: NotificationMessage[] = [];
let bed: ReportBed;
let notifier: Notifier;
let forget = () => {};
before(async () => {
  bed = await openReportBed();
  const driver = {
    send: async (message: NotificationMessage) => void sent.push(message),
    close: async () => {},
  };
  notifier = createNotifier({ drivers: [driver], retry: 0, log: bed.log });
  forget = sendAnnouncements(notifier, 'api-node');
});
after(async () => {
  forget();
  await bed?.close();
});

test('each change is told once, in order, by who made it, without secrets', async () => {
  const { id, requestId } = await bed.createVolume('told');
  await bed.settled(id);
  const act = async (path: string, body: unknown) => {
    const { status, body: answer } = await bed.request('POST', path, body);
    assert.ok(status < 300, `${path}: ${JSON.stringify(answer)}`);
    await bed.settled(id);
    return answer;
  };
  const connector = { initiator: 'iqn.2004-10.com.example:one', host: 'compute', ip: '127.0.0.1' };
  const { attachment } = await act('/attachments', {
    attachment: { volume_uuid: id, instance_uuid: '11111111-2222-3333-4444-555555555555', connector },
  });
  await act(`/attachments/${attachment.id}/action`, { 'os-complete': null });
  assert.equal((await bed.request('DELETE', `/attachments/${attachment.id}`)).status, 200);
  await act(`/volumes/${id}/action`, { 'os-extend': { new_size: 2 } });
  const { snapshot } = await act('/snapshots', { snapshot: { volume_id: id } });
  await bed.request('DELETE', `/snapshots/${snapshot.id}`);
  await bed.settled(id);
  await act(`/volumes/${id}/action`, { 'os-reset_status': { status: 'error' } });
  await bed.request('DELETE', `/volumes/${id}`);
  await bed.settled(id);
  const huge = await bed.createVolume('huge', 900);
  await bed.settled(huge.id);
  await notifier.close({ timeoutMs: 20_000 });

  const pool = sent[0]!.publisherId.slice('volume.'.length);
  const host = pool.split('#')[0]!;
  const told = sent.map(({ eventType, publisherId }) => `${eventType} by ${publisherId}`);
  assert.deepEqual(told, [
    `volume.create.start by volume.${pool}`,
    `volume.create.end by volume.${pool}`,
    `volume.attach.start by volume.${host}`,
    'volume.attach.end by volume.api-node',
    `volume.detach.start by volume.${host}`,
    'volume.detach.end by volume.api-node',
    `volume.resize.start by volume.${host}`,
    `volume.resize.end by volume.${host}`,
    `snapshot.create.start by snapshot.${host}`,
    `snapshot.create.end by snapshot.${host}`,
    `snapshot.delete.start by snapshot.${host}`,
    `snapshot.delete.end by snapshot.${host}`,
    'volume.reset_status.start by volume.api-node',
    'volume.reset_status.end by volume.api-node',
    `volume.delete.start by volume.${host}`,
    `volume.delete.end by volume.${host}`,
    'scheduler.create_volume by scheduler.api-node',
  ]);
  assert.match(pool, /#/);
  const of = (eventType: string) => sent.find((message) => message.eventType === eventType)!;
  assert.equal(of('volume.create.start').payload.status, 'creating');
  assert.equal(of('volume.create.end').payload.status, 'available');
  assert.equal(of('volume.create.end').context.requestId, requestId);
  assert.ok(of('volume.create.end').context.roles.length > 0);
  assert.equal(of('volume.attach.end').payload.status, 'in-use');
  assert.equal(of('volume.resize.start').payload.size, 1);
  assert.equal(of('volume.resize.end').payload.size, 2);
  assert.equal(of('snapshot.delete.end').payload.deleted, 'True');
  assert.equal(of('volume.delete.end').payload.status, 'deleted');
  assert.equal(of('scheduler.create_volume').priority, 'error');
  const [attached] = of('volume.attach.end').payload.volume_attachment as Record<string, string>[];
  const { auth_password: password } = JSON.parse(attached!.connection_info!);
  assert.equal(password, '[redacted]');
});

test('a failure of the backend is told as an error, with its code; nobody waits for any of it', async () => {
  const heard: NotificationMessage[] = [];
  const never = new Promise<void>(() => {});
  const stuck = createNotifier({
    drivers: [{ send: () => never, close: async () => {} }],
    ...{ retry: 0, log: bed.log, bufferLength: 2 },
  });
  const driver = { send: async (message: NotificationMessage) => void heard.push(message), close: async () => {} };
  const works = createNotifier({ drivers: [driver], retry: 0, log: bed.log });
  const ends = [sendAnnouncements(stuck, 'node'), sendAnnouncements(works, 'node')];
  let dropped = 0;
  ends.push(
    onMeasurement((of) => {
      if (of.what === 'notification' && of.outcome === 'dropped') dropped += 1;
    }),
  );
  const { id } = await bed.createVolume('fails');
  await bed.settled(id);
  bed.instead('extendVolume', async () => {
    throw new Error('the disk is on fire');
  });
  assert.equal((await bed.request('POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 2 } })).status, 202);
  await bed.settled(id);
  bed.instead('extendVolume', null);
  await works.close({ timeoutMs: 20_000 });
  const failed = heard.find(({ eventType }) => eventType === 'volume.resize.error');
  assert.equal(failed?.priority, 'error');
  assert.equal(failed.payload.status, 'error_extending');
  assert.match(JSON.stringify(failed.payload.error), /the disk is on fire/);
  for (const end of ends) end();
  assert.ok(dropped >= 1, 'a broker that is away keeps nothing waiting');
  await stuck.close({ timeoutMs: 1 });
});
