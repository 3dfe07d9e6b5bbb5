/** /metrics as a scraper sees it: only with the token, and with what really happened. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalExecutor } from '../../../src/exec/executor.ts';
import { createMetrics } from '../../../src/service/metrics.ts';
import {
  type MetricsServer,
  readOrMakeToken,
  serveMetrics,
  startMetrics,
} from '../../../src/service/metrics-server.ts';
import { silentLog } from '../../support/postgres.ts';
import { openReportBed, type ReportBed } from '../../support/report-bed.ts';

const TOKEN = 'a-token-of-the-test';
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ashlar-metrics-'));
});
after(() => rm(directory, { recursive: true, force: true }));

/** The value of one series; null where there is none. */
function seriesOf(text: string, name: string, ...labels: readonly string[]): number | null {
  const line = text
    .split('\n')
    .find((each) => each.replace(/[{ ].*/, '') === name && labels.every((label) => each.includes(label)));
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ') + 1));
}

describe('metrics of a deployment', () => {
  let bed: ReportBed;
  let server: MetricsServer;
  before(async () => {
    const metrics = createMetrics({ version: '1.2.3', role: 'test' });
    server = await serveMetrics({ metrics, token: TOKEN, host: '127.0.0.1', port: 0 });
    bed = await openReportBed();
  });
  after(async () => {
    await bed?.close();
    await server?.stop();
  });
  const scrape = async (headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) => {
    const reply = await fetch(server.url, { headers, signal: AbortSignal.timeout(10_000) });
    return { status: reply.status, type: reply.headers.get('content-type') ?? '', text: await reply.text() };
  };

  test('who has no token, or a wrong one, learns nothing', async () => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const { status, text } = await scrape(authorization === '' ? {} : { authorization });
      assert.equal(status, 401, authorization);
      assert.doesNotMatch(text, /ashlar_/);
    }
  });

  test('operations, requests, messages, commands, locks, pools and heartbeats are counted', async () => {
    const volume = await bed.createVolume('measured');
    await bed.settled(volume.id);
    bed.faults.fail('driver.createVolume', 'before', 1, new Error('broken'));
    await bed.settled((await bed.createVolume('failing')).id);
    const gate = bed.faults.hold('driver.createSnapshot');
    await bed.request('POST', '/snapshots', { snapshot: { volume_id: volume.id } });
    await gate.reached;
    await bed.request('POST', '/snapshots', { snapshot: { volume_id: volume.id } });
    const busy = await bed.eventuallyScraped(async () => (await scrape()).text, /^ashlar_lock_waiters\{[^}]*\} 1$/m);
    assert.equal(seriesOf(busy, 'ashlar_operations_in_flight', 'service="node@fake"'), 2);
    assert.equal(seriesOf(busy, 'ashlar_locks_held', 'service="node@fake"') !== 0, true);
    gate.release();
    await bed.settled(volume.id);
    const executor = createLocalExecutor({ log: silentLog, privileged: 'root' });
    await executor.run({ argv: ['sh', '-c', 'exit 3'], timeoutMs: 10_000, okExitCodes: [3] });

    const text = await bed.eventuallyScraped(async () => (await scrape()).text, /^ashlar_heartbeat_age_seconds/m);
    const count = (name: string, ...labels: string[]) => seriesOf(text, `${name}_count`, ...labels);
    assert.equal(count('ashlar_operation_duration_seconds', 'method="create_snapshot"', 'outcome="done"'), 2);
    assert.equal(count('ashlar_operation_duration_seconds', 'method="create_volume"', 'outcome="done"'), 1);
    assert.equal(count('ashlar_operation_duration_seconds', 'method="create_volume"', 'VolumeBackend'), null);
    assert.equal(count('ashlar_operation_duration_seconds', 'method="create_volume"', 'outcome="Internal"'), 1);
    assert.equal(count('ashlar_operation_wait_seconds', 'method="create_snapshot"'), 2);
    assert.equal(count('ashlar_lock_wait_seconds', 'kind="volume"'), 1);
    assert.equal(count('ashlar_command_duration_seconds', 'program="sh"', 'exit_code="3"'), 1);
    assert.equal(count('ashlar_rest_request_duration_seconds', 'route="/volumes"', 'code="202"'), 2);
    assert.ok(seriesOf(text, 'ashlar_pool_total_bytes', 'pool="node@fake#fake"')! === 100 * 2 ** 30);
    assert.ok(seriesOf(text, 'ashlar_heartbeat_age_seconds', 'service="cinder-volume node@fake"')! < 60);
    assert.equal(seriesOf(text, 'ashlar_build_info', 'version="1.2.3"'), 1);
    assert.doesNotMatch(text, new RegExp(volume.id), 'an id would make a series for each volume');
  });
});

test('a second process takes the next port, and both have one token that others cannot read', async () => {
  const options = {
    metrics_listen: '127.0.0.1',
    metrics_port: 19_776,
    metrics_token_file: join(directory, 'token'),
  };
  const start = () => startMetrics({ options, version: '1', role: 'test', log: silentLog });
  const [one, two] = await Promise.all([start(), start()]);
  try {
    assert.ok(one !== null && two !== null);
    assert.notEqual(one.url, two.url);
    const token = (await readFile(options.metrics_token_file, 'utf8')).trim();
    for (const { url } of [one, two]) {
      const reply = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(reply.status, 200);
      await reply.text();
    }
    assert.equal((await stat(options.metrics_token_file)).mode & 0o777, 0o600);
    assert.equal(await readOrMakeToken(options.metrics_token_file), token);
  } finally {
    await one?.stop();
    await two?.stop();
  }
  assert.equal(
    await startMetrics({ options: { ...options, metrics_port: 0 }, version: '1', role: 't', log: silentLog }),
    null,
  );
});
