import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Handler, id, notFound, startApi, volume, volumesHandler } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;

function snapshot(number: number, status = 'available') {
  return { id: id(number), name: `snap-${number}`, volume_id: id(1), status, size: 1, metadata: {}, created_at: '' };
}

describe('snapshot', { timeout: TIMEOUT_MS }, () => {
  function serve(snapshots: ReturnType<typeof snapshot>[]): Handler {
    const volumes = volumesHandler([volume(1)], () => {});
    return (request) => {
      const { method, path, query } = request;
      const [, collection, key] = path.split('/');
      if (collection !== 'snapshots') return volumes(request);
      if (method === 'POST' && key === undefined) {
        snapshots.push(snapshot(9, 'creating'));
        return { status: 202, body: { snapshot: snapshots.at(-1) } };
      }
      if (key === 'detail') {
        return { body: { snapshots: snapshots.filter(({ name }) => name === (query.name ?? name)) } };
      }
      const found = snapshots.find((each) => each.id === key);
      if (found === undefined) return notFound(path);
      if (method !== 'GET') {
        found.status = 'deleting';
        return { status: 202 };
      }
      const answer = { body: { snapshot: { ...found } } };
      // The next look finds the work done.
      if (found.status === 'creating') found.status = 'available';
      if (found.status === 'deleting') snapshots.splice(snapshots.indexOf(found), 1);
      return answer;
    };
  }

  it('create waits and prints, show shows, list lists, delete deletes', async () => {
    const snapshots = [snapshot(8)];
    await using api = await startApi(serve(snapshots));
    const env = envOf(api);
    const created = await run(['snapshot', 'create', 'volume-1', '--name', 'snap-9', '-f', 'json'], { env });
    assert.deepEqual([created.code, JSON.parse(created.out).status], [0, 'available']);
    const { body } = api.seen.find(({ method }) => method === 'POST')!;
    assert.deepEqual(body, { snapshot: { volume_id: id(1), name: 'snap-9' } });
    assert.equal((await run(['snapshot', 'show', 'snap-9', '-f', 'value', '-c', 'id'], { env })).out, `${id(9)}\n`);
    const listed = await run(['snapshot', 'list', '--volume', 'volume-1', '-f', 'value', '-c', 'name'], { env });
    assert.equal(listed.out, 'snap-8\nsnap-9\n');
    assert.equal(api.seen.at(-1)!.query.volume_id, id(1));
    const deleted = await run(['snapshot', 'delete', 'snap-8', id(9)], { env });
    assert.deepEqual([deleted, snapshots], [{ code: 0, out: '', err: '' }, []]);
  });

  it('is what a volume can be made of', async () => {
    const handler = serve([snapshot(8)]);
    await using api = await startApi(handler);
    await run(['volume', 'create', '--snapshot', 'snap-8', '--no-wait'], { env: envOf(api) });
    assert.deepEqual(api.seen.at(-1)!.body, { volume: { snapshot_id: id(8), size: 1 } });
  });
});

describe('type', { timeout: TIMEOUT_MS }, () => {
  const types = [{ id: id(20), name: 'fast', is_public: false, description: null, extra_specs: { a: '1' } }];
  const serve: Handler = ({ method, path, body }) => {
    if (path === '/types' && method === 'POST') {
      const { volume_type: made } = body as { volume_type: object };
      return { body: { volume_type: { ...types[0], ...made } } };
    }
    if (path === '/types') return { body: { volume_types: types } };
    return { status: 202, body: {} };
  };

  it('list, show, create, set and delete ask for what they should', async () => {
    await using api = await startApi(serve);
    const env = envOf(api);
    assert.equal((await run(['type', 'list', '-f', 'value'], { env })).out, `${id(20)}\tfast\tfalse\n`);
    assert.deepEqual(api.seen.at(-1)!.query, { is_public: 'None' });
    assert.match((await run(['type', 'show', 'fast'], { env })).out, /extra_specs +\| a='1'/);
    const created = await run(['type', 'create', 'x', '--private', '--property', 'k=v', '-f', 'json'], { env });
    assert.equal(JSON.parse(created.out).name, 'x');
    const set = await run(['type', 'set', 'fast', '--name', 'n', '--property', 'k=v', '--unset', 'a'], { env });
    const deleted = await run(['type', 'delete', 'fast'], { env });
    assert.deepEqual([created.code, set.code, deleted.code], [0, 0, 0]);
    assert.deepEqual(
      api.seen.filter(({ method }) => method !== 'GET').map(({ method, path, body }) => [method, path, body]),
      [
        [
          'POST',
          '/types',
          { volume_type: { name: 'x', 'os-volume-type-access:is_public': false, extra_specs: { k: 'v' } } },
        ],
        ['PUT', `/types/${id(20)}`, { volume_type: { name: 'n' } }],
        ['POST', `/types/${id(20)}/extra_specs`, { extra_specs: { k: 'v' } }],
        ['DELETE', `/types/${id(20)}/extra_specs/a`, null],
        ['DELETE', `/types/${id(20)}`, null],
      ],
    );
  });
});

describe('service', { timeout: TIMEOUT_MS }, () => {
  const services = [
    {
      binary: 'cinder-volume',
      host: 'node@lvm',
      zone: 'nova',
      status: 'disabled',
      state: 'up',
      updated_at: '2026-01-01T00:00:00.000000',
      cluster: null,
      disabled_reason: 'disk swap',
    },
  ];

  it("list has the columns of the field's client", async () => {
    await using api = await startApi(() => ({ body: { services } }));
    const { out } = await run(['service', 'list', '--binary', 'cinder-volume'], { env: envOf(api) });
    const head = out
      .split('\n')[1]!
      .split('|')
      .map((label) => label.trim());
    assert.deepEqual(head.slice(1, -1), [
      'Binary',
      'Host',
      'Zone',
      'Status',
      'State',
      'Updated_at',
      'Cluster',
      'Disabled Reason',
    ]);
    assert.deepEqual(api.seen[0]!.query, { binary: 'cinder-volume' });
  });

  it('set enables and disables, with a reason', async () => {
    await using api = await startApi(() => ({ body: {} }));
    const env = envOf(api);
    const set = ['service', 'set', 'node@lvm', 'cinder-volume'];
    for (const option of [['--enable'], ['--disable'], ['--disable-reason', 'disk swap']]) {
      assert.equal((await run([...set, ...option], { env })).code, 0);
    }
    const service = { host: 'node@lvm', binary: 'cinder-volume' };
    assert.deepEqual(
      api.seen.map(({ method, path, body }) => [method, path, body]),
      [
        ['PUT', '/os-services/enable', service],
        ['PUT', '/os-services/disable', service],
        ['PUT', '/os-services/disable-log-reason', { ...service, disabled_reason: 'disk swap' }],
      ],
    );
    for (const wrong of [[], ['--enable', '--disable'], ['--enable', '--disable-reason', 'x']]) {
      assert.equal((await run([...set, ...wrong], { env })).code, 2);
    }
    assert.equal(api.seen.length, 3);
  });
});

describe('pool and message', { timeout: TIMEOUT_MS }, () => {
  it('pool list --detail shows capacities, numbers and words alike', async () => {
    const capabilities = { total_capacity_gb: 10.5, free_capacity_gb: 'infinite', backend_state: 'up' };
    await using api = await startApi(({ query }) => ({
      body: { pools: [{ name: 'node@lvm#pool', ...(query.detail === 'true' ? { capabilities } : {}) }] },
    }));
    const env = envOf(api);
    assert.equal((await run(['pool', 'list', '-f', 'value'], { env })).out, 'node@lvm#pool\n');
    const { out } = await run(['pool', 'list', '--detail', '-f', 'json'], { env });
    const [pool] = JSON.parse(out);
    assert.deepEqual([pool.total_capacity_gb, pool.free_capacity_gb, pool.capabilities], [10.5, 'infinite', undefined]);
    const whole = await run(['pool', 'list', '-c', 'capabilities', '-f', 'json'], { env });
    assert.deepEqual(JSON.parse(whole.out), [{ capabilities }]);
  });

  it('message list says what went wrong with a volume', async () => {
    const volumes = volumesHandler([volume(1)], () => {});
    const messages = [
      {
        id: id(90),
        event_id: 'E',
        user_message: 'no space',
        resource_type: 'VOLUME',
        resource_uuid: id(1),
        created_at: 'now',
      },
    ];
    await using api = await startApi((request) =>
      request.path === '/messages' ? { body: { messages } } : volumes(request),
    );
    const argv = ['message', 'list', '--resource', 'volume-1', '-f', 'value'];
    assert.equal((await run(argv, { env: envOf(api) })).out, `now\tVOLUME\t${id(1)}\tno space\n`);
    assert.deepEqual(api.seen.at(-1)!.query, { resource_uuid: id(1) });
  });
});
