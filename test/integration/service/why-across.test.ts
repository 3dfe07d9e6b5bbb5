/** `ashlar why` and `ashlar report` across processes and a real broker: live data, a hung process, a dead one, no broker. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTestTransport } from '../../support/amqp.ts';
import { eventually } from '../../support/node-process.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';
import type { Order } from '../../support/volume-process.ts';

const skip = missingRabbitmq() ?? false;
const PROGRAM = fileURLToPath(new URL('../../support/volume-process.ts', import.meta.url));

describe('why, across processes', { skip }, () => {
  let broker: TestRabbitmq;
  let bed: ReportBed;
  let child: ChildProcess;
  const tell = (order: Order) => child.send(order);
  const startChild = async () => {
    child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    tell({ kind: 'start', connection: bed.connection, url: broker.url });
    await once(child, 'message');
  };
  before(async () => {
    broker = await startTestRabbitmq();
    bed = await openReportBed({ transport: await openTestTransport(broker.url), serviceElsewhere: true });
    await startChild();
  });
  after(async () => {
    child?.kill('SIGKILL');
    await bed?.close();
    await broker?.close();
  });

  const whyOf = (id: string, pattern: RegExp) =>
    eventually(`${pattern} of ${id}`, async () => {
      const text = await bed.why(id);
      return pattern.test(text) ? text : undefined;
    });

  test('the step comes from the process that works; a hung one and a dead one are told apart', async () => {
    tell({ kind: 'hold' });
    const volume = await bed.createVolume('far-away');
    const text = await whyOf(volume.id, /driver\.createVolume/);
    assert.match(text, /^Cause: create_volume .*at the step driver\.createVolume for [\d.]+ s/m);
    const json = await bed.whyJson(volume.id);
    assert.equal(json.services[0].pid, child.pid);
    assert.equal(json.from_record_only, false);

    const report = JSON.parse(await bed.ashlar('report', '--json'));
    const roles = report.reports.map(({ role, pid }: { role: string; pid: number }) => [role, pid]);
    assert.deepEqual(roles, [
      ['test', process.pid],
      ['volume fake', child.pid],
    ]);
    assert.equal(report.reports[1].operations[0].step, 'driver.createVolume');

    child.kill('SIGSTOP');
    const hung = await bed.why(volume.id);
    assert.match(hung, /^Cause: create_volume .*does not answer .*last heartbeat is \d+ s old: the process .* hangs/m);
    assert.match(hung, /from the record alone/);
    child.kill('SIGCONT');
    await whyOf(volume.id, /^Cause: the event loop of cinder-volume node@fake \(pid \d+\) is blocked/m);

    child.kill('SIGKILL');
    await once(child, 'exit');
    const dead = await bed.why(volume.id);
    assert.match(dead, /^Cause: create_volume .*does not answer .*This is from the record alone/m);
    assert.equal((await bed.whyJson(volume.id)).from_record_only, true);
    await startChild();
    await bed.settled(volume.id);
  });

  test('a broker that is away', async () => {
    await broker.stop();
    // The request is recorded; its wake-up waits for the broker.
    const asked = bed.createVolume('unheard');
    const text = await whyOf('unheard', /^Cause: create_volume/m);
    assert.match(text, /^Cause: create_volume .*the broker 127\.0\.0\.1:\d+: .*; its owner finds it in the record/m);
    assert.doesNotMatch(text, /hangs|is down|No such|driver/);
    await broker.start();
    await bed.settled((await asked).id);
    assert.match(await bed.why('unheard'), /^Cause: nothing: no operation is under way/m);
  });
});
