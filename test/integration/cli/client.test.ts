import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { createClient } from '../../../src/cli/client.ts';
import { CliFailure, EXIT } from '../../../src/cli/exit-codes.ts';
import { runCli } from '../../../src/cli/index.ts';
import { type Answer, fault, startApi } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;
const list = ['volume', 'list'];

describe('an API that cannot be used', { timeout: TIMEOUT_MS }, () => {
  it('is not there: says so, and what to type', async () => {
    const api = await startApi(() => undefined);
    const env = envOf(api);
    await api[Symbol.asyncDispose]();
    const { code, out, err } = await run(list, { env });
    assert.deepEqual([code, out], [3, '']);
    assert.match(err, /cannot be reached: nobody listens there\. .*npm start/);
  });

  it('was never named: says where it looked', async () => {
    const { code, err } = await run(list, { stateDirs: ['/nowhere/var'] });
    assert.equal(code, 3);
    assert.match(err, /no endpoint\.json in \/nowhere\/var.*npm start/);
  });

  it('is found by the files of a node', async () => {
    await using api = await startApi(() => ({ body: { volumes: [] } }));
    const stateDir = await mkdtemp(join(tmpdir(), 'ashlar-cli-'));
    try {
      await writeFile(join(stateDir, 'endpoint.json'), JSON.stringify({ url: api.url, project: 'admin' }));
      await writeFile(join(stateDir, 'admin-token'), 'from-file\n');
      const { code } = await run([...list, '--state-dir', stateDir]);
      assert.equal(code, 0);
      assert.equal(api.seen[0]!.headers['x-auth-token'], 'from-file');
      assert.equal(api.seen[0]!.path, '/volumes/detail');
    } finally {
      await rm(stateDir, { recursive: true });
    }
  });

  const answers: readonly (readonly [what: string, answer: Answer, code: number, message: RegExp])[] = [
    [
      'credentials',
      { status: 401, body: { error: { code: 401, message: 'who?' } } },
      3,
      /ASHLAR_TOKEN was refused.*who\?/,
    ],
    ['role', fault(403, 'forbidden', 'For administrators.'), 3, /^ashlar: For administrators\.$/m],
    ['request', fault(400, 'badRequest', 'Invalid filter.'), 1, /^ashlar: Invalid filter\.$/m],
    [
      'version',
      { status: 406, body: { computeFault: { message: 'Version 3.70 is not supported' } } },
      1,
      /Version 3\.70/,
    ],
    ['quota', fault(413, 'overLimit', 'Quota exceeded.'), 1, /Quota exceeded/],
    ['database', fault(503, 'serviceUnavailable', 'The database is away.'), 3, /The database is away/],
    ['no JSON', { status: 502, raw: '<html>Bad\u001b[2J gateway' }, 1, /HTTP 502: <html>Bad\\x1b\[2J gateway/],
    ['empty error', { status: 500, headers: { 'x-openstack-request-id': 'req-7' } }, 1, /HTTP 500 \(req-7\)/],
    ['redirect', { status: 302, headers: { location: 'http://203.0.113.1/' } }, 3, /HTTP 302/],
    ['web page', { raw: '<html>' }, 3, /no Block Storage API/],
    ['other JSON', { body: { hello: 1 } }, 3, /no Block Storage API/],
    ['null', { raw: 'null' }, 3, /no Block Storage API/],
    ['nothing', { raw: '' }, 3, /no Block Storage API/],
    ['hang-up', { hangUp: true }, 3, /cannot be reached/],
  ];
  for (const [what, answer, expected, message] of answers) {
    it(`refuses (${what}): exit code ${expected}`, async () => {
      await using api = await startApi(() => answer);
      const { code, out, err } = await run(list, { env: envOf(api) });
      assert.equal(code, expected, err);
      assert.equal(out, '');
      assert.match(err, message);
      assert.ok(!err.includes('the-token'));
      assert.equal(err.trimEnd().split('\n').length, 1);
    });
  }

  it('answers too late', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    try {
      const { port } = silent.address() as { port: number };
      const client = createClient({ baseUrl: `http://127.0.0.1:${port}/v3`, token: null, tokenSource: '' }, 50);
      await assert.rejects(client.post('/volumes', {}), (error) => {
        assert.ok(error instanceof CliFailure && error.transient);
        assert.equal(error.exitCode, EXIT.unreachable);
        assert.match(error.message, /no answer within 0\.05 s\. The request may be carried out all the same/);
        return true;
      });
    } finally {
      silent.close();
    }
  });
});

describe('the program', { timeout: TIMEOUT_MS }, () => {
  for (const argv of [['--help'], ['volume', '--help'], ['volume', 'create', '--help'], ['help', 'volume']]) {
    it(`${argv.join(' ')} is help that was asked for: stdout, 0`, async () => {
      const { code, out, err } = await run(argv);
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, /^Usage: ashlar/);
    });
  }

  for (const argv of [
    [],
    ['volume'],
    ['volum'],
    ['volume', 'crate'],
    ['volume', 'show'],
    ['volume', 'list', '--nmae'],
  ]) {
    it(`'${argv.join(' ')}' is a wrong command line: stderr, 2`, async () => {
      const { code, out, err } = await run(argv);
      assert.deepEqual([code, out], [2, '']);
      assert.notEqual(err, '');
    });
  }

  it('documents its exit codes', async () => {
    const { out } = await run(['--help']);
    for (const code of Object.values(EXIT)) assert.match(out, new RegExp(`^  ${code}  `, 'm'));
  });

  it('takes its own options before and behind the command', async () => {
    await using api = await startApi(() => ({ body: { volumes: [] } }));
    const options = ['--endpoint', api.url, '--project', 'admin', '--token', 'x'];
    assert.equal((await run([...options, ...list])).code, 0);
    assert.equal((await run([...list, ...options])).code, 0);
    assert.deepEqual(
      api.seen.map(({ path, headers }) => [path, headers['x-auth-token']]),
      [1, 2].map(() => ['/volumes/detail', 'x']),
    );
  });

  it('is quiet when the reader of its output went away', async () => {
    await using api = await startApi(() => ({ body: { volumes: [] } }));
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const errors: string[] = [];
    const stderr = new Writable({
      write: (chunk, _encoding, done) => {
        errors.push(String(chunk));
        done();
      },
    });
    const io = {
      argv: list,
      env: envOf(api),
      stdin: Readable.from([]),
      stdout: broken,
      stderr,
      isTty: false,
      stateDirs: [],
    };
    assert.equal(await runCli(io), 0);
    assert.deepEqual(errors, []);
  });

  it('tells the versions of both sides, and its own where there is no other', async () => {
    await using api = await startApi(() => ({ body: { versions: [{ version: '3.70', min_version: '3.0' }] } }));
    const argv = ['version', '-f', 'json'];
    const both = await run(argv, { env: envOf(api) });
    assert.deepEqual(JSON.parse(both.out), { api: '3.70', api_minimum: '3.0', ashlar: '1.2.3' });
    assert.deepEqual(JSON.parse((await run(argv)).out), { api: null, api_minimum: null, ashlar: '1.2.3' });
  });
});
