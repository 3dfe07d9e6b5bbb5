/** The state report: everything that is going on, nothing that is secret, in the time it promises. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openConfig } from '../../../src/config/config.ts';
import { option } from '../../../src/config/options.ts';
import { contributeStatus } from '../../../src/lib/status.ts';
import { createLogger } from '../../../src/log/create-logger.ts';
import { collectStateReport, describeProcess } from '../../../src/service/report.ts';
import { renderStateReport } from '../../../src/service/report-text.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

const SECRET = 'correct-horse-battery';
let bed: ReportBed;
before(async () => {
  bed = await openReportBed();
  const config = openConfig({ layers: [], faults: [], known: [] });
  config.section('DEFAULT', {
    transport_url: option.string(`rabbit://me:${SECRET}@broker:5672/`, 'Help.', { secret: true }),
    also: option.string(`https://me:${SECRET}@host/`, 'Not marked, and a secret by its form.'),
    report_interval: option.integer(7, 'Help.'),
  });
  const log = createLogger({ level: 'info', name: 'test', destination: 'stderr' });
  describeProcess({ version: '1.2.3', role: 'node', config: () => config.describe(), log });
  log.child({ request_id: 'req-of-the-warning' }).warn({ password: SECRET }, `seen: ${SECRET.length} characters`);
});
after(() => bed?.close());

test('it has what is in flight, services, connections, locks, problems and options, as JSON and as text', async () => {
  const volume = await bed.createVolume('reported');
  await bed.settled(volume.id);
  const gate = bed.faults.hold('driver.createSnapshot');
  const { requestId } = await bed.request('POST', '/snapshots', { snapshot: { volume_id: volume.id } });
  await gate.reached;
  const json = JSON.parse(await bed.ashlar('report', '--json'));
  const text = await bed.ashlar('report');
  gate.release();
  await bed.settled(volume.id);

  const [report] = json.reports;
  assert.deepEqual([json.reports.length, json.silent], [1, {}]);
  assert.deepEqual([report.version, report.role, report.pid], ['1.2.3', 'node', process.pid]);
  const [operation] = report.operations;
  assert.deepEqual([operation.request_id, operation.step], [requestId, 'driver.createSnapshot']);
  assert.deepEqual(operation.locks, [`snapshot:${operation.resource_id}`, `volume:${volume.id}`]);
  assert.equal(report.services['cinder-volume.node@fake'].backend, 'up');
  assert.ok('cinder-scheduler.node' in report.services);
  const database = Object.entries(report.connections).find(([name]) => name.startsWith('database'))?.[1];
  assert.equal((database as { state: string }).state, 'up');
  assert.equal(report.locks['node@fake'].length, 2);
  const queue = { places: 4, working: 1, wait_for_lock: 0, wait_for_place: 0 };
  assert.deepEqual(report.queues['operations of node@fake'], queue);
  assert.equal(report.config['DEFAULT.report_interval'].value, 7);
  assert.ok(report.memory.rss_bytes > 1e6);
  assert.equal(report.recent_problems[0].fields.request_id, 'req-of-the-warning');

  for (const part of [requestId, 'driver.createSnapshot', 'cinder-volume.node@fake', 'DEFAULT.report_interval = 7']) {
    assert.ok(text.includes(part), `${part} is not in the text`);
  }
  for (const whole of [JSON.stringify(json), text]) assert.doesNotMatch(whole, new RegExp(SECRET));
});

test('what cannot say how it is, or takes too long, stands there with its reason', async () => {
  const forget = [
    contributeStatus({
      section: 'queues',
      name: 'broken',
      read: () => {
        throw new Error('no idea');
      },
    }),
    contributeStatus({ section: 'queues', name: 'hangs', read: () => new Promise(() => {}) }),
  ];
  try {
    const report = await collectStateReport();
    const { broken, hangs } = report.queues;
    assert.deepEqual([broken, hangs], [{ error: 'no idea' }, { error: 'no answer within 2000 ms' }]);
    assert.match(renderStateReport(report), /no idea/);
  } finally {
    for (const each of forget) each();
  }
});
