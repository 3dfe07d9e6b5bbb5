import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fault, type Handler, id, startApi, volume, volumesHandler } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;

function fails(reason: string): Handler {
  return ({ path, query }) => {
    if (path !== '/messages') return undefined;
    const message = (user_message: string, created_at: string, resource_uuid: string) => ({
      id: id(90),
      event_id: 'VOLUME_VOLUME_001_003',
      user_message,
      created_at,
      resource_uuid,
    });
    const about = query.resource_uuid ?? '';
    const messages = [
      message('an older reason', '2026-01-01T00:00:00', about),
      message(reason, '2026-01-02T00:00:00', about),
      message('of another volume', '2026-01-03T00:00:00', id(99)),
    ];
    return { body: { messages } };
  };
}

describe('volume list', { timeout: TIMEOUT_MS }, () => {
  it('follows the pages, says who it is and which version it speaks', async () => {
    await using api = await startApi(
      volumesHandler(
        [1, 2, 3, 4, 5].map((number) => volume(number)),
        () => {},
      ),
    );
    const { code, out, err } = await run(['volume', 'list', '-f', 'value', '-c', 'name'], { env: envOf(api) });
    assert.equal(out, [1, 2, 3, 4, 5].map((number) => `volume-${number}\n`).join(''));
    assert.deepEqual([code, err, api.seen.length], [0, '', 3]);
    for (const { headers } of api.seen) {
      assert.equal(headers['x-auth-token'], 'the-token');
      assert.equal(headers['openstack-api-version'], 'volume 3.70');
    }
  });

  it('stops at --limit, goes on after --marker, hands filters on', async () => {
    await using api = await startApi(
      volumesHandler(
        [1, 2, 3, 4, 5].map((number) => volume(number)),
        () => {},
      ),
    );
    const env = envOf(api);
    const argv = ['volume', 'list', '-f', 'json', '-c', 'id'];
    const limited = await run([...argv, '--limit', '3', '--marker', 'volume-1'], { env });
    assert.deepEqual(JSON.parse(limited.out), [{ id: id(2) }, { id: id(3) }, { id: id(4) }]);
    const filtered = await run([...argv, '--status', 'available', '--name', 'volume-2', '--all-projects'], { env });
    assert.deepEqual(JSON.parse(filtered.out), [{ id: id(2) }]);
    assert.deepEqual(api.seen.at(-1)!.query, { name: 'volume-2', status: 'available', all_tenants: '1' });
  });

  it('draws a table that a name cannot break', async () => {
    await using api = await startApi(volumesHandler([volume(1, { name: 'a\n| b |\u001b[2J' })], () => {}));
    const { out } = await run(['volume', 'list'], { env: envOf(api) });
    assert.equal(out.trimEnd().split('\n').length, 5);
    assert.ok(!out.includes('\u001b'));
    assert.match(out, /a\\n\| b \|\\x1b\[2J/);
  });

  it('asks nothing when a column is misspelt', async () => {
    await using api = await startApi(() => undefined);
    const { code, err } = await run(['volume', 'list', '-c', 'nmae'], { env: envOf(api) });
    assert.equal(code, 2);
    assert.match(err, /no column 'nmae'. Columns: id, name,/);
    assert.deepEqual(api.seen, []);
  });

  it('ends when the API links a page to itself', async () => {
    const links = [{ rel: 'next', href: '/v3/admin/volumes/detail?marker=x' }];
    await using api = await startApi(() => ({ body: { volumes: [volume(1)], volumes_links: links } }));
    const { code, err } = await run(['volume', 'list'], { env: envOf(api) });
    assert.equal(code, 1);
    assert.match(err, /does not end/);
  });
});

describe('volume create', { timeout: TIMEOUT_MS }, () => {
  it('waits until the volume is available, and prints it', async () => {
    const volumes = [volume(1)];
    await using api = await startApi(volumesHandler(volumes, (each) => Object.assign(each, { status: 'available' })));
    const argv = ['volume', 'create', '--size', '2', '--name', 'data', '--property', 'a=b=c', '--property', 'd='];
    const { code, out, err } = await run([...argv, '-f', 'json'], { env: envOf(api) });
    assert.deepEqual([code, err], [0, '']);
    assert.equal(JSON.parse(out).status, 'available');
    assert.equal(JSON.parse(out).name, 'data');
    const sent = api.seen.find(({ method }) => method === 'POST')!.body;
    assert.deepEqual(sent, { volume: { size: 2, name: 'data', metadata: { a: 'b=c', d: '' } } });
  });

  it('does not wait with --no-wait', async () => {
    await using api = await startApi(volumesHandler([], () => {}));
    const { code, out } = await run(['volume', 'create', '--size', '1', '--no-wait', '-f', 'value', '-c', 'status'], {
      env: envOf(api),
    });
    assert.deepEqual([code, out, api.seen.length], [0, 'creating\n', 1]);
  });

  it('tells why it failed, prints the volume all the same, and ends with 1', async () => {
    const reason = 'No backend can take the volume: lvm has 0 GiB free.';
    const serveVolumes = volumesHandler([], (each) => Object.assign(each, { status: 'error' }));
    await using api = await startApi((request) => fails(reason)(request) ?? serveVolumes(request));
    const { code, out, err } = await run(['volume', 'create', '--size', '1', '--name', 'data', '-f', 'json'], {
      env: envOf(api),
    });
    assert.equal(code, 1);
    assert.equal(err, `ashlar: volume data ended in 'error': ${reason}\n`);
    assert.equal(JSON.parse(out).fault, reason);
  });

  it('gives up waiting after --timeout with 5, and says that the work goes on', async () => {
    await using api = await startApi(volumesHandler([], () => {}));
    const { code, out, err } = await run(['volume', 'create', '--size', '1', '--timeout', '0.2'], { env: envOf(api) });
    assert.deepEqual([code, out], [5, '']);
    assert.match(err, /still 'creating' after 0\.2 s\. The work goes on: ashlar volume show 7f6c2a52/);
  });

  it('takes size and bytes of a source by its name', async () => {
    await using api = await startApi(
      volumesHandler([volume(7)], (each) => Object.assign(each, { status: 'available' })),
    );
    const { code } = await run(['volume', 'create', '--source', 'volume-7', '--no-wait'], { env: envOf(api) });
    assert.equal(code, 0);
    assert.deepEqual(api.seen.at(-1)!.body, { volume: { source_volid: id(7), size: 7 } });
  });

  it('survives an API that is away for a moment while it waits', async () => {
    const serve = volumesHandler([], (each) => Object.assign(each, { status: 'available' }));
    let looks = 0;
    await using api = await startApi((request) => {
      if (request.method === 'GET' && ++looks === 1) return { hangUp: true };
      return serve(request);
    });
    const { code } = await run(['volume', 'create', '--size', '1'], { env: envOf(api) });
    assert.equal(code, 0);
    assert.ok(looks > 1);
  });

  it('shows progress on a terminal, on stderr, and wipes it', async () => {
    await using api = await startApi(
      volumesHandler([], (each) => Object.assign(each, { status: 'available', name: 'data' })),
    );
    const argv = ['volume', 'create', '--size', '1', '--name', 'data', '-f', 'value', '-c', 'name'];
    const { out, err } = await run(argv, { env: envOf(api), isTty: true, columns: 0 });
    assert.equal(out, 'data\n');
    assert.match(err, /volume data: creating \d+s/);
    assert.ok(err.endsWith('\r\u001b[K'));
  });

  for (const [argv, message] of [
    [['--name', 'x'], /How large\?/],
    [['--size', '0'], /whole number of GiB/],
    [['--size', '-1'], /whole number of GiB/],
    [['--size', '1GB'], /whole number of GiB/],
    [['--size', '1', '--snapshot', 's', '--source', 'v'], /cannot be used with/],
    [['--size', '1', '--property', 'x'], /KEY=VALUE/],
    [['--size', '1', '-c', 'nonsense'], /no field 'nonsense'/],
    [['--size', '1', '--timeout', '0'], /seconds above 0/],
    [['--size', '1', 'data'], /too many arguments/],
  ] as const) {
    it(`sends nothing for ${argv.join(' ')}`, async () => {
      await using api = await startApi(() => undefined);
      const { code, out, err } = await run(['volume', 'create', ...argv], { env: envOf(api) });
      assert.equal(code, 2);
      assert.match(err, message);
      assert.equal(out, '');
      assert.deepEqual(api.seen, []);
    });
  }
});

describe('volume delete', { timeout: TIMEOUT_MS }, () => {
  const gone = (each: { status: string }) => Object.assign(each, { status: 'deleted' });

  it('waits until all are gone, says nothing', async () => {
    const volumes = [volume(1), volume(2)];
    await using api = await startApi(volumesHandler(volumes, gone));
    const ran = await run(['volume', 'delete', 'volume-1', id(2), 'volume-1'], { env: envOf(api) });
    assert.deepEqual(ran, { code: 0, out: '', err: '' });
    assert.deepEqual(api.changes(), [`DELETE /volumes/${id(1)}`, `DELETE /volumes/${id(2)}`]);
    assert.ok(volumes.every(({ status }) => status === 'deleted'));
  });

  it('does what it can when one of several is not there', async () => {
    const volumes = [volume(1)];
    await using api = await startApi(volumesHandler(volumes, gone));
    const { code, err } = await run(['volume', 'delete', 'nobody', 'volume-1'], { env: envOf(api) });
    assert.equal(code, 4);
    assert.match(err, /no volume with the name or id 'nobody'/);
    assert.match(err, /1 of 2 failed/);
    assert.equal(volumes[0]!.status, 'deleted');
  });

  it('fails when the volume is still there in the end', async () => {
    const serve = volumesHandler([volume(1)], (each) => Object.assign(each, { status: 'error_deleting' }));
    await using api = await startApi((request) => fails('lvremove failed')(request) ?? serve(request));
    const { code, err } = await run(['volume', 'delete', 'volume-1'], { env: envOf(api) });
    assert.equal(code, 1);
    assert.match(err, /volume volume-1 was not deleted, it is 'error_deleting': lvremove failed/);
  });

  it('asks for --cascade and --force in their ways', async () => {
    await using api = await startApi(volumesHandler([volume(1), volume(2), volume(3)], gone));
    const env = envOf(api);
    const sent = async (...argv: string[]) => {
      await run(['volume', 'delete', '--no-wait', ...argv], { env });
      const { method, query, body } = api.seen.at(-1)!;
      return { method, query, body };
    };
    assert.deepEqual(await sent(id(1), '--cascade'), { method: 'DELETE', query: { cascade: 'true' }, body: null });
    assert.deepEqual(await sent(id(2), '--force'), { method: 'POST', query: {}, body: { 'os-force_delete': {} } });
    assert.deepEqual(await sent(id(3), '--force', '--cascade'), {
      method: 'DELETE',
      query: { cascade: 'true', force: 'true' },
      body: null,
    });
  });
});

describe('volume extend', { timeout: TIMEOUT_MS }, () => {
  it('waits for the new size', async () => {
    const volumes = [volume(1)];
    await using api = await startApi(
      volumesHandler(volumes, (each) => Object.assign(each, { status: 'available', size: 4 })),
    );
    assert.deepEqual(await run(['volume', 'extend', 'volume-1', '4'], { env: envOf(api) }), {
      code: 0,
      out: '',
      err: '',
    });
    const action = api.seen.find(({ method }) => method === 'POST')!;
    assert.deepEqual(action.body, { 'os-extend': { new_size: 4 } });
  });

  it('fails when the volume comes back with its old size', async () => {
    const serve = volumesHandler([volume(1)], (each) => Object.assign(each, { status: 'available' }));
    await using api = await startApi((request) => fails('the pool is full')(request) ?? serve(request));
    const { code, err } = await run(['volume', 'extend', 'volume-1', '4'], { env: envOf(api) });
    assert.equal(code, 1);
    assert.match(err, /was not extended, it has 1 GiB: the pool is full/);
  });

  it("shows the API's own words when it refuses", async () => {
    const serve = volumesHandler([volume(3)], () => {});
    const refusal = fault(400, 'badRequest', 'Invalid input: New size must be larger than 3.');
    await using api = await startApi((request) => (request.method === 'POST' ? refusal : serve(request)));
    const { code, err } = await run(['volume', 'extend', 'volume-3', '2'], { env: envOf(api) });
    assert.deepEqual([code, err], [1, 'ashlar: Invalid input: New size must be larger than 3.\n']);
  });
});

describe('volume set', { timeout: TIMEOUT_MS }, () => {
  it('asks for each change in its way', async () => {
    await using api = await startApi(volumesHandler([volume(1)], () => {}));
    const argv = ['--name', 'new', '--property', 'a=1', '--unset', 'b/c', '--bootable', '--state', 'error'];
    const ran = await run(['volume', 'set', 'volume-1', ...argv], { env: envOf(api) });
    assert.deepEqual(ran, { code: 0, out: '', err: '' });
    const changes = api.seen.filter(({ method }) => method !== 'GET');
    assert.deepEqual(
      changes.map(({ method, path, body }) => [method, path.replace(`/volumes/${id(1)}`, ''), body]),
      [
        ['PUT', '', { volume: { name: 'new' } }],
        ['POST', '/metadata', { metadata: { a: '1' } }],
        ['DELETE', '/metadata/b/c', null],
        ['POST', '/action', { 'os-set_bootable': { bootable: true } }],
        ['POST', '/action', { 'os-reset_status': { status: 'error' } }],
      ],
    );
  });

  it('is a wrong command line without anything to set', async () => {
    await using api = await startApi(() => undefined);
    const { code, err } = await run(['volume', 'set', 'volume-1'], { env: envOf(api) });
    assert.equal(code, 2);
    assert.match(err, /Nothing to set/);
    assert.deepEqual(api.seen, []);
  });
});

describe('volume show', { timeout: TIMEOUT_MS }, () => {
  it('shows the fault of a volume in an error status, by the newest message about it', async () => {
    const serve = volumesHandler([volume(1, { status: 'error' })], () => {});
    await using api = await startApi((request) => fails('the reason')(request) ?? serve(request));
    const { out } = await run(['volume', 'show', 'volume-1'], { env: envOf(api) });
    assert.match(out, /\| fault +\| the reason +\|/);
    assert.doesNotMatch(out, /links/);
  });

  it('knows fields that this volume lacks, and no others', async () => {
    await using api = await startApi(volumesHandler([volume(1)], () => {}));
    const argv = ['volume', 'show', 'volume-1', '-f', 'value'];
    const lacking = await run([...argv, '-c', 'fault', '-c', 'status', '-c', 'metadata.nope'], { env: envOf(api) });
    assert.deepEqual([lacking.code, lacking.out], [0, '\navailable\n\n']);
    const { code, out, err } = await run([...argv, '-c', 'statsu'], { env: envOf(api) });
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /no field 'statsu'\. Fields: attachments, /);
  });

  it('shows the volume even where messages cannot be read', async () => {
    await using api = await startApi(volumesHandler([volume(1, { status: 'error' })], () => {}));
    const { code, out } = await run(['volume', 'show', 'volume-1', '-f', 'json'], { env: envOf(api) });
    assert.deepEqual([code, JSON.parse(out).fault], [0, null]);
  });
});
