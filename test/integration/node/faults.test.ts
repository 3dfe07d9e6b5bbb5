/** What a node says and does when something around it is wrong. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, startNodeProcess } from '../../support/node-process.ts';
import { startWholeNode, type WholeNode } from '../../support/whole-node.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ashlar-faults-'));
});
after(() => rm(directory, { recursive: true, force: true }));

test('a configuration with faults is refused at once, each named with file, line and option', async () => {
  const configFile = join(directory, 'faulty.conf');
  await writeFile(
    configFile,
    [
      '[DEFAULT]',
      'enabled_backends = one',
      'osapi_volume_listen_port = 99999',
      'report_interval = soon',
      '[one]',
      'volume_driver = file',
      'reserved_percentage = 120',
      'this is no option',
    ].join('\n'),
  );
  const started = startNodeProcess({ stateDir: join(directory, 'faulty'), configFile });
  await assert.rejects(started, (error: Error) => {
    for (const part of [
      'faulty.conf:3',
      'osapi_volume_listen_port',
      'faulty.conf:4',
      'report_interval',
      'faulty.conf:7',
      'reserved_percentage',
      'faulty.conf:8',
    ]) {
      assert.ok(error.message.includes(part), `${part} is not in: ${error.message}`);
    }
    assert.ok(!error.message.includes('at '), 'a stack trace is shown');
    return true;
  });
});

test('an unknown driver names those there are', async () => {
  const configFile = join(directory, 'unknown.conf');
  await writeFile(configFile, '[DEFAULT]\nenabled_backends = one\n[one]\nvolume_driver = flie\n');
  const started = startNodeProcess({ stateDir: join(directory, 'unknown'), configFile });
  await assert.rejects(started, /volume_driver.*flie.*file/s);
});

test('a database that cannot be reached is waited for, which is said, and then given up', async () => {
  const configFile = join(directory, 'nodb.conf');
  const connection = 'postgresql://me:hidden-word@127.0.0.1:1/none';
  await writeFile(configFile, `[database]\nconnection = ${connection}\nmax_retries = 1\nretry_interval = 1\n`);
  const started = startNodeProcess({ stateDir: join(directory, 'nodb'), configFile });
  await assert.rejects(started, (error: Error) => {
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.ok(!error.message.includes('hidden-word'));
    return true;
  });
});

describe('two backends, one of which cannot start', () => {
  let whole: WholeNode;
  let blocked: string;
  before(async () => {
    // A file where the directory should be: no rights are needed to make this fail.
    blocked = join(directory, 'blocked');
    await writeFile(blocked, '');
    whole = await startWholeNode(
      `[DEFAULT]
enabled_backends = good,bad
reinit_driver_max_interval = 1
[good]
volume_driver = file
target_helper = fake
file_capacity_gb = 4
[bad]
volume_driver = file
target_helper = fake
file_volumes_dir = ${blocked}
`,
    );
  });
  after(() => whole.close());

  test('the other serves, the pools tell them apart, and it comes up by itself when mended', async () => {
    assert.match(whole.node().output(), /Backend bad is down/);
    await whole.ashlar('volume', 'create', '--size', '1', '--name', 'one');
    assert.equal(
      await whole
        .ashlar('volume', 'show', 'one', '-f', 'value', '-c', 'os-vol-host-attr:host')
        .then((host) => /@good#/.test(host)),
      true,
    );
    await rm(blocked);
    await mkdir(blocked);
    await eventually('the backend to come up', async () => {
      const pools = await whole.ashlar('pool', 'list', '-f', 'value', '-c', 'name');
      return pools.includes('@bad#') ? true : undefined;
    });
  });

  test('no valid host says why, per backend and filter', async () => {
    await whole.ashlar('type', 'create', 'nowhere', '--property', 'volume_backend_name=elsewhere');
    const refused = async (...argv: string[]) => {
      const { code, err } = await whole.tryAshlar('volume', 'create', '--name', 'none', ...argv);
      assert.equal(code, 1);
      await whole.ashlar('volume', 'delete', 'none');
      return err;
    };
    const wrongType = await refused('--size', '1', '--type', 'nowhere');
    assert.match(wrongType, /@good#\S* .*volume_backend_name/);
    assert.match(wrongType, /@bad#\S* .*volume_backend_name/);
    assert.match(await refused('--size', '100000'), /@good#\S* has 3\.0 GiB free/);
  });
});

test('an API port that is taken is passed over, and the address is told', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const whole = await startWholeNode(`[DEFAULT]\nosapi_volume_listen_port = ${port}\n`);
  try {
    assert.notEqual(Number(new URL(whole.node().url).port), port);
    await whole.ashlar('service', 'list');
  } finally {
    await whole.close();
    server.close();
  }
});
