/** Log levels through the API: set-log and get-log reach the services that run. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLogger, type RootLogger } from '../../../src/log/create-logger.ts';
import { describeProcess } from '../../../src/service/report.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

let bed: ReportBed;
let log: RootLogger;
before(async () => {
  bed = await openReportBed();
  log = createLogger({ level: 'info', name: 'test', destination: 'stderr' });
  describeProcess({ version: '1', role: 'test', config: () => [], log });
});
after(() => bed?.close());

const put = (what: string, body: object) => bed.request('PUT', `/os-services/${what}`, body);

test('get-log tells of every service, set-log changes those that are named', async () => {
  const before = await put('get-log', {});
  assert.equal(before.status, 200);
  const binaries = before.body.log_levels.map(({ binary }: { binary: string }) => binary).sort();
  assert.deepEqual(binaries, ['cinder-api', 'cinder-scheduler', 'cinder-volume']);
  const set = await put('set-log', { binary: 'cinder-volume', server: 'node@fake', prefix: '', level: 'debug' });
  assert.deepEqual([set.status, log.level], [202, 'debug']);
  const { body } = await put('get-log', { binary: 'cinder-volume', prefix: 'cinder.volume' });
  assert.deepEqual(body, {
    log_levels: [{ binary: 'cinder-volume', host: 'node@fake', levels: { 'cinder.volume': 'DEBUG' } }],
  });
  await put('set-log', { binary: '*', level: 'WARNING' });
  assert.equal(log.level, 'warn');
});

test('what makes no sense is refused, and changes nothing', async () => {
  log.setLevel('info');
  for (const body of [{ level: 'x' }, {}, { level: 'DEBUG', binary: 'cinder-nothing' }, { level: 'DEBUG', other: 1 }]) {
    assert.equal((await put('set-log', body)).status, 400, JSON.stringify(body));
  }
  await put('set-log', { level: 'DEBUG', server: 'elsewhere', binary: 'cinder-volume' });
  await put('set-log', { level: 'DEBUG', prefix: 'oslo' });
  assert.equal(log.level, 'info');
});
