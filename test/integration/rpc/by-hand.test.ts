import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { failure } from '../../../src/model/errors.ts';
import { openTransport } from '../../../src/rpc/create-transport.ts';
import { type RabbitOptions, rabbitOptions } from '../../../src/rpc/options.ts';
import type { RpcMessage, Transport } from '../../../src/rpc/transport.ts';
import { eventually } from '../../support/node-process.ts';
import { silentLog } from '../../support/postgres.ts';
import { missingRabbitmq, startTestRabbitmq, type TestRabbitmq } from '../../support/rabbitmq.ts';
import { defaultsOf } from '../../support/volume-bed.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/cmd/ashlar.ts', import.meta.url));

describe('ashlar rpc', { skip: missingRabbitmq() ?? false, timeout: 120_000 }, () => {
  let directory: string;
  let config: string;
  let rabbitmq: TestRabbitmq;
  let transport: Transport;
  const received: RpcMessage[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ashlar-rpc-'));
    config = join(directory, 'ashlar.conf');
    rabbitmq = await startTestRabbitmq();
    await writeFile(config, `[DEFAULT]\ntransport_url = ${rabbitmq.url}\n`, { mode: 0o600 });
    const rabbit = defaultsOf(rabbitOptions) as unknown as RabbitOptions;
    const options = { controlExchange: 'openstack', concurrency: 4, rabbit };
    transport = await openTransport({ url: rabbitmq.url, options, log: silentLog });
    await transport.listen({ topic: 'cinder-volume.node@lvm', server: 'node' }, async (message) => {
      received.push(message);
      if (message.method === 'freeze_host') throw failure('InvalidInput', { reason: 'not now' });
      return { vendor_name: 'somebody', auth_password: 'geheim', ...message.args };
    });
  });

  after(async () => {
    await transport?.close();
    await rabbitmq?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  function start(words: readonly string[]) {
    const child: ChildProcess = spawn(process.execPath, [PROGRAM, 'rpc', ...words, '--config-file', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk) => {
      said.stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      said.stderr += chunk;
    });
    return { child, said, ended: once(child, 'close').then(([code]) => ({ code: code as number, ...said })) };
  }
  const run = (...words: string[]) => start(words).ended;

  test('call prints the answer, cast what was sent', async () => {
    const to = ['cinder-volume', 'get_capabilities', 'discover=true', 'note=a b', '--server', 'node@lvm'];
    const called = await run('call', ...to);
    assert.equal(called.code, 0, called.stderr);
    const answer = JSON.parse(called.stdout);
    assert.deepEqual([answer.vendor_name, answer.discover, answer.note], ['somebody', true, 'a b']);
    assert.doesNotMatch(called.stdout, /geheim/);
    assert.match((await run('call', ...to, '--show-secrets')).stdout, /geheim/);
    const cast = await run('cast', 'cinder-volume', 'thaw_host', '--server', 'node@lvm');
    assert.match(cast.stdout, /^Sent thaw_host to cinder-volume\.node@lvm\.node, request req-/);
    await eventually('the cast to arrive', async () => received.find(({ method }) => method === 'thaw_host'));
  });

  test('errors, silence and wrong words each have their exit code and sentence', async () => {
    const [refused, silent, wrong, many] = await Promise.all([
      run('call', 'cinder-volume', 'freeze_host', '--server', 'node@lvm'),
      run('call', 'cinder-volume', 'get_capabilities', '--server', 'other@lvm', '--timeout', '1'),
      run('call', 'cinder-volume', 'get_capabilities', 'discover'),
      run('cast', 'cinder-volume', 'x', '--timeout', 'soon'),
    ]);
    assert.deepEqual([refused.code, silent.code, wrong.code, many.code], [1, 5, 2, 2]);
    assert.match(refused.stderr, /InvalidInput: Invalid input: not now/);
    assert.match(silent.stderr, /No answer to get_capabilities/);
    assert.match(wrong.stderr, /'discover' is no argument: write key=value/);
    assert.match(many.stderr, /--timeout soon/);
  });

  test('watch shows requests and fan-outs as they go by, without taking them', async () => {
    const { said, ended } = start(['watch', 'cinder-volume', '--count', '3', '--timeout', '60']);
    await eventually('the watch to begin', async () => (said.stderr.includes('Watching') ? true : undefined));
    const context = { requestId: 'req-7', userId: 'u', projectId: 'p', isAdmin: true, roles: [] };
    const message = { version: '3.0', args: { connector: { auth_password: 'geheim' } }, context };
    const target = { topic: 'cinder-volume.node@lvm', server: 'node' };
    await transport.call(target, { ...message, method: 'initialize_connection' }, { timeoutMs: 10_000 });
    await transport.cast(target, { ...message, method: 'delete_volume', operationId: 'op-1' });
    await transport.fanout('cinder-volume', { ...message, method: 'publish_service_capabilities' });
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout, /geheim/);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ kind, method, request_id }) => [kind, method, request_id]).toSorted(), [
      ['call', 'initialize_connection', 'req-7'],
      ['cast', 'delete_volume', 'req-7'],
      ['fanout', 'publish_service_capabilities', 'req-7'],
    ]);
    await eventually('the service to have had it', async () =>
      received.find(({ method }) => method === 'delete_volume'),
    );
  });
});
