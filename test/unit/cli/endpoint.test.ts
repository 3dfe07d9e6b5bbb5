import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { type EndpointOptions, findEndpoint, toBaseUrl } from '../../../src/cli/endpoint.ts';
import { CliFailure, EXIT } from '../../../src/cli/exit-codes.ts';

const made: string[] = [];
after(async () => {
  for (const path of made) await rm(path, { recursive: true });
});

async function stateDir(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ashlar-endpoint-'));
  made.push(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text, { mode: 0o600 });
  return path;
}

function find(options: EndpointOptions, env: Record<string, string>, stateDirs: readonly string[]) {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdin: Readable.from([]), stdout: silent, stderr: silent };
  return findEndpoint({ argv: [], env, isTty: false, stateDirs, ...streams }, options);
}

const node = { 'endpoint.json': '{"url":"http://127.0.0.1:8776/v3","project":"admin"}\n', 'admin-token': 'abc\n' };

describe('toBaseUrl', () => {
  const cases: readonly (readonly [url: string, project: string | undefined, expected: string])[] = [
    ['http://h:1', undefined, 'http://h:1/v3'],
    ['http://h:1/', 'p', 'http://h:1/v3/p'],
    ['http://h:1/v3', 'p', 'http://h:1/v3/p'],
    ['http://h:1/v3/', undefined, 'http://h:1/v3'],
    ['http://h:1/v3/old', undefined, 'http://h:1/v3/old'],
    ['http://h:1/v3/old', 'new/er', 'http://h:1/v3/new%2Fer'],
    ['https://h/volume', 'p', 'https://h/volume/v3/p'],
    ['https://h/volume/v3/p/', undefined, 'https://h/volume/v3/p'],
  ];
  for (const [url, project, expected] of cases) {
    it(`${url} with ${project ?? 'no project'}`, () => assert.equal(toBaseUrl(url, project), expected));
  }

  it('refuses what is no address', () => {
    for (const bad of ['h:1', '127.0.0.1', 'ftp://h/', '/v3', '']) {
      assert.throws(
        () => toBaseUrl(bad, undefined),
        (error) => error instanceof CliFailure && error.exitCode === EXIT.usage,
      );
    }
  });
});

describe('findEndpoint', () => {
  it('takes the first state directory where a node runs, with its token', async () => {
    const running = await stateDir(node);
    const found = await find({}, {}, [join(running, 'missing'), running]);
    assert.equal(found.baseUrl, 'http://127.0.0.1:8776/v3/admin');
    assert.equal(found.token, 'abc');
    assert.equal(found.tokenSource, join(running, 'admin-token'));
  });

  it('prefers the options, then the environment', async () => {
    const running = await stateDir(node);
    const env = { ASHLAR_ENDPOINT: 'http://env:1', ASHLAR_TOKEN: 'env-token', ASHLAR_PROJECT: 'env-project' };
    const fromEnv = await find({}, env, [running]);
    assert.deepEqual([fromEnv.baseUrl, fromEnv.token], ['http://env:1/v3/env-project', 'env-token']);
    const options = { endpoint: 'http://opt:1', token: 'opt-token', project: 'opt' };
    const fromOptions = await find(options, env, [running]);
    assert.deepEqual([fromOptions.baseUrl, fromOptions.token], ['http://opt:1/v3/opt', 'opt-token']);
  });

  it('never sends the token of this node to an address that was named', async () => {
    const running = await stateDir(node);
    assert.equal((await find({ endpoint: 'http://elsewhere' }, {}, [running])).token, null);
    assert.equal((await find({ endpoint: 'http://elsewhere', stateDir: running }, {}, [])).token, 'abc');
  });

  it('looks nowhere else when a state directory is named', async () => {
    const [running, empty] = [await stateDir(node), await stateDir({})];
    await assert.rejects(find({ stateDir: empty }, {}, [running]), unreachable(/npm start/));
    await assert.rejects(find({}, { ASHLAR_STATE_DIR: empty }, [running]), unreachable(/npm start/));
  });

  it('counts an empty variable as not set', async () => {
    const running = await stateDir(node);
    assert.equal((await find({}, { ASHLAR_ENDPOINT: '', ASHLAR_TOKEN: '' }, [running])).token, 'abc');
  });

  it('says so when the file is damaged, or the token is none', async () => {
    for (const text of ['', '{', '[]', '{"url":1}', 'null']) {
      await assert.rejects(find({}, {}, [await stateDir({ 'endpoint.json': text })]), unreachable(/damaged/));
    }
    const blank = await stateDir({ ...node, 'admin-token': '\n' });
    await assert.rejects(find({}, {}, [blank]), unreachable(/admin-token is empty/));
    await assert.rejects(find({ endpoint: 'http://h', token: 'a\nb' }, {}, []), unreachable(/--token/));
  });

  it('goes on without a token where there is none: an API may need none', async () => {
    assert.equal((await find({}, {}, [await stateDir({ 'endpoint.json': node['endpoint.json'] })])).token, null);
  });
});

function unreachable(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof CliFailure);
    assert.equal(error.exitCode, EXIT.unreachable);
    assert.match(error.message, message);
    return true;
  };
}
