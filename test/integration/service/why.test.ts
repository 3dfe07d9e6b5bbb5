/** `ashlar why` names what is wrong: one fault after another is injected, and its output alone has to say which. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { createLocalExecutor } from '../../../src/exec/executor.ts';
import { eventually } from '../../support/node-process.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

/** What the line of the cause says of each fault, and of no other. */
const telling = {
  'lock held':
    /^Cause: create_snapshot .* waits for the lock volume:\S+ .*held by create_snapshot .*driver\.createSnapshot/m,
  'lvcreate hanging': /^Cause: create_volume .*step driver\.createVolume .*'\S*lvcreate .*running for [\d.]+ s/m,
  'database away': /^Cause: the database does not answer: .*cannot be reached/m,
  'pool full': /^Cause: create_volume .* failed .*NoValidBackend.* (?:free|room|GiB)/m,
  'target daemon dead': /^Cause: attachment_update .* failed .*tgtadm/m,
  'driver failing': /^Cause: create_volume .* failed .*the controller is on fire/m,
  'event loop blocked': /^Cause: the event loop of cinder-volume node@fake .*blocked.*stood still for [\d.]+ s/m,
  'retry waiting':
    /^Cause: create_volume .*waits for the backend node@fake, which is down .*no such device.*next retry is at/m,
  quota: /^Cause: the request POST \/\S*volumes was refused .*VolumeLimitExceeded/m,
} as const;

function assertNames(fault: keyof typeof telling, text: string): void {
  const named = Object.entries(telling)
    .filter(([, pattern]) => pattern.test(text))
    .map(([name]) => name);
  assert.deepEqual(named, [fault], text);
}

let bed: ReportBed;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ashlar-why-'));
  bed = await openReportBed();
});
after(async () => {
  await bed?.close();
  await rm(scratch, { recursive: true, force: true });
});

describe('why', () => {
  afterEach(() => bed.faults.clear());

  test('a healthy volume: nothing is under way, and its history has the request id', async () => {
    const volume = await bed.createVolume('healthy');
    await bed.settled(volume.id);
    const text = await bed.why('healthy');
    assert.match(text, /^volume \S+ 'healthy': available, at node@fake#fake$/m);
    assert.match(text, /^Cause: nothing: no operation is under way/m);
    assert.match(text, new RegExp(`create_volume done, ${volume.requestId}`));
    assert.match(text, /^Service cinder-volume node@fake: up, .*answers, backend up/m);
    assert.equal((await bed.whyJson('healthy')).from_record_only, false);
  });

  test('a lock that another holds', async () => {
    const volume = await bed.createVolume('locked');
    await bed.settled(volume.id);
    const gate = bed.faults.hold('driver.createSnapshot');
    const holder = await bed.request('POST', '/snapshots', { snapshot: { volume_id: volume.id, name: 'first' } });
    await gate.reached;
    await bed.request('POST', '/snapshots', { snapshot: { volume_id: volume.id, name: 'second' } });
    const text = await eventually('the second to wait', async () => {
      const said = await bed.why('second');
      return /waits for the lock/.test(said) ? said : undefined;
    });
    assertNames('lock held', text);
    assert.ok(text.includes(holder.requestId), 'the holder is named by its request id');
    gate.release();
    await bed.settled(volume.id);
  });

  test('an lvcreate that hangs', async () => {
    const lvcreate = join(scratch, 'lvcreate');
    await writeFile(lvcreate, '#!/bin/sh\nexec sleep 60\n');
    await chmod(lvcreate, 0o755);
    const executor = createLocalExecutor({ log: bed.log, privileged: 'root' });
    const giveUp = new AbortController();
    bed.instead('createVolume', async () => {
      const argv = [lvcreate, '--name', 'volume-x', 'pool'] as const;
      await executor.run({ argv: [...argv], timeoutMs: 60_000, signal: giveUp.signal });
    });
    const volume = await bed.createVolume('hangs');
    const text = await eventually('the command', async () => {
      const said = await bed.why(volume.id);
      return /lvcreate/.test(said) ? said : undefined;
    });
    assertNames('lvcreate hanging', text);
    assert.match(text, /killed at 60 s/);
    giveUp.abort();
    bed.instead('createVolume', null);
    await bed.settled(volume.id);
  });

  test('a pool that is full', async () => {
    const volume = await bed.createVolume('huge', 900);
    await bed.settled(volume.id);
    assertNames('pool full', await bed.why('huge'));
  });

  test('a driver that fails', async () => {
    bed.faults.fail('driver.createVolume', 'before', Number.POSITIVE_INFINITY, new Error('the controller is on fire'));
    const volume = await bed.createVolume('burnt');
    await bed.settled(volume.id);
    assertNames('driver failing', await bed.why('burnt'));
  });

  test('a target daemon that is dead', async () => {
    const volume = await bed.createVolume('unexported');
    await bed.settled(volume.id);
    const executor = createLocalExecutor({ log: bed.log, privileged: 'root' });
    bed.instead('createExport', async () => {
      // A socket on which no tgtd listens: what tgtadm says of a daemon that is gone.
      const env = { TGT_IPC_SOCKET: join(scratch, 'no-tgtd') };
      const argv = ['tgtadm', '--lld', 'iscsi', '--op', 'show', '--mode', 'target'] as const;
      await executor.run({ argv: [...argv], env, timeoutMs: 10_000 });
    });
    const connector = { initiator: 'iqn.2004-10.com.example:one', host: 'client', ip: '127.0.0.1' };
    const attachment = { volume_uuid: volume.id, instance_uuid: randomUUID(), connector };
    await bed.request('POST', '/attachments', { attachment });
    bed.instead('createExport', null);
    await bed.settled(volume.id);
    assertNames('target daemon dead', await bed.why('unexported'));
  });

  test('an event loop that is blocked', async () => {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const ends = Promise.withResolvers<void>();
    bed.instead('createVolume', async () => {
      Atomics.wait(sleeper, 0, 0, 2500);
      await ends.promise;
    });
    const volume = await bed.createVolume('blocked');
    try {
      const text = await eventually('the stall', async () => {
        const said = await bed.why(volume.id);
        return /driver\.createVolume/.test(said) && /stood still/.test(said) ? said : undefined;
      });
      assertNames('event loop blocked', text);
    } finally {
      bed.instead('createVolume', null);
      ends.resolve();
    }
    await bed.settled(volume.id);
  });

  test('a quota that is used up: the request that was refused is remembered', async () => {
    await bed.store.quotas.setLimits(bed.project, { volumes: 1 });
    const refused = await bed.request('POST', '/volumes', { volume: { size: 1, name: 'one-too-many' } });
    assert.equal(refused.status, 413);
    const text = await bed.why('one-too-many');
    assertNames('quota', text);
    assert.ok(text.includes(refused.requestId));
    assert.match(text, /^Quota used up: volumes: \d+ of 1$/m);
    await bed.store.quotas.deleteLimits(bed.project);
  });

  test('a retry that waits: the backend is down, why, and when it is tried again', async () => {
    await bed.restartService(async () => {
      bed.faults.fail('driver.setUp', 'before', Number.POSITIVE_INFINITY, new Error('no such device'));
    });
    const id = await bed.placedVolume('patient');
    assertNames('retry waiting', await bed.why('patient'));
    bed.faults.clear();
    await bed.settled(id);
  });

  test('a service that is gone: the record alone speaks, and says so', async () => {
    await bed.stopService();
    const id = await bed.placedVolume('orphan');
    const text = await bed.why(id);
    assert.match(text, /^Cause: create_volume .*does not answer .*from the record alone/m);
    assert.equal((await bed.whyJson(id)).from_record_only, true);
    await bed.restartService();
    await bed.settled(id);
  });

  test('several of one name are not guessed between', async () => {
    for (const _ of [1, 2]) await bed.settled((await bed.createVolume('twin')).id);
    await assert.rejects(bed.why('twin'), /several have the name 'twin'/);
  });

  test('a member of a project is refused', async () => {
    const reply = await bed.request('GET', '/ashlar/why/healthy', undefined, 'member');
    assert.equal(reply.status, 403);
  });

  test('a database that is away', async () => {
    const volume = await bed.createVolume('stranded');
    await bed.settled(volume.id);
    await bed.stopDatabase();
    assertNames('database away', await bed.why('stranded'));
    const report = await bed.report();
    assert.match(report, /"state":"away"/);
  });
});
