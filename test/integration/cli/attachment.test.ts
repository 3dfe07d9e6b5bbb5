import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fault, type Handler, id, notFound, startApi, volume, volumesHandler } from './api-double.ts';
import { envOf, run } from './run.ts';

const TIMEOUT_MS = 30_000;
const PASSWORD = 'kept-from-eyes';
const IQN = 'iqn.2004-10.com.example:one';

const connection = {
  driver_volume_type: 'iscsi',
  attachment_id: id(50),
  target_portal: '127.0.0.1:3260',
  target_iqn: `iqn.2010-10.org.openstack:volume-${id(1)}`,
  target_lun: 1,
  auth_method: 'CHAP',
  auth_username: 'user',
  auth_password: PASSWORD,
};
const url = `iscsi://user%${PASSWORD}@127.0.0.1:3260/iqn.2010-10.org.openstack:volume-${id(1)}/1`;

function attachment(number: number, fields: object = {}) {
  return {
    id: id(number),
    status: 'attaching',
    volume_id: id(1),
    instance: null,
    attach_mode: 'rw',
    attached_at: '',
    detached_at: '',
    connection_info: connection,
    ...fields,
  };
}

type FakeAttachment = ReturnType<typeof attachment>;

/** One volume, and its attachments as the API serves them. */
function serve(attachments: FakeAttachment[], created: FakeAttachment = attachment(50)): Handler {
  const volumes = volumesHandler([volume(1)], () => {});
  return (request) => {
    const { method, path, query, body } = request;
    const [, collection, key, tail] = path.split('/');
    if (collection !== 'attachments') return volumes(request);
    if (method === 'POST' && key === undefined) {
      attachments.push(created);
      return { body: { attachment: created } };
    }
    if (method === 'GET' && (key === undefined || key === 'detail')) {
      const fitting = attachments.filter(({ volume_id }) => volume_id === (query.volume_id ?? volume_id));
      return { body: { attachments: fitting } };
    }
    const found = attachments.find((each) => each.id === key);
    if (found === undefined) return notFound(path);
    if (tail === 'action' && 'os-complete' in (body as object)) found.status = 'attached';
    if (method === 'DELETE') attachments.splice(attachments.indexOf(found), 1);
    return method === 'GET' ? { body: { attachment: found } } : { status: 200, body: {} };
  };
}

describe('attachment create', { timeout: TIMEOUT_MS }, () => {
  it('--url prints what qemu takes, and nothing else', async () => {
    await using api = await startApi(serve([]));
    const argv = ['attachment', 'create', 'volume-1', '--initiator', IQN, '--url', '--no-complete'];
    assert.deepEqual(await run(argv, { env: envOf(api) }), { code: 0, out: `${url}\n`, err: '' });
    assert.deepEqual(api.seen.at(-1)!.body, {
      attachment: { volume_uuid: id(1), connector: { host: hostname(), initiator: IQN }, mode: 'rw' },
    });
  });

  it('masks the password in a table, unless asked, and in nothing that a program reads', async () => {
    const argv = ['attachment', 'create', 'volume-1', '--initiator', IQN];
    const printed = async (...more: string[]) => {
      await using api = await startApi(serve([]));
      return (await run([...argv, ...more], { env: envOf(api) })).out;
    };
    const table = await printed();
    assert.match(table, /auth_password='\*\*\*'/);
    assert.match(table, /auth_username='user'/);
    assert.ok(!table.includes(PASSWORD));
    assert.ok((await printed('--show-secrets')).includes(PASSWORD));
    assert.equal(await printed('-f', 'value', '-c', 'connection_info.auth_password'), `${PASSWORD}\n`);
    assert.deepEqual(JSON.parse(await printed('-f', 'json')).connection_info, connection);
  });

  it('--url marks it as in use too: it is made to be used at once', async () => {
    await using api = await startApi(serve([]));
    const argv = ['attachment', 'create', 'volume-1', '--initiator', IQN, '--url'];
    assert.deepEqual(await run(argv, { env: envOf(api) }), { code: 0, out: `${url}\n`, err: '' });
    assert.ok(api.seen.some(({ path, body }) => path.endsWith('/action') && 'os-complete' in (body as object)));
  });

  it('--complete marks it as in use', async () => {
    await using api = await startApi(serve([]));
    const argv = ['attachment', 'create', 'volume-1', '--initiator', IQN, '--complete', '-f', 'value', '-c', 'status'];
    assert.equal((await run(argv, { env: envOf(api) })).out, 'attached\n');
  });

  it('waits for a connection that is not made at once', async () => {
    const slow = attachment(50, { status: 'reserved', connection_info: {} });
    const handler = serve([], slow);
    await using api = await startApi((request) => {
      const answer = handler(request);
      if (request.path === `/attachments/${id(50)}`) Object.assign(slow, attachment(50));
      return answer;
    });
    const argv = ['attachment', 'create', 'volume-1', '--initiator', IQN, '--url'];
    assert.equal((await run(argv, { env: envOf(api) })).out, `${url}\n`);
  });

  it('fails when the connection failed, and says how to clean up', async () => {
    await using api = await startApi(serve([], attachment(50, { status: 'error_attaching', connection_info: {} })));
    const { code, out, err } = await run(['attachment', 'create', 'volume-1', '--initiator', IQN], { env: envOf(api) });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, new RegExp(`attachment of volume volume-1 failed: .*ashlar attachment delete ${id(50)}`));
  });

  it('takes the connector from a file, options win', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ashlar-connector-'));
    try {
      const file = join(directory, 'connector.json');
      await writeFile(file, JSON.stringify({ initiator: 'iqn.file', host: 'h', nqn: 'n', multipath: false }));
      await using api = await startApi(serve([]));
      const argv = [
        'attachment',
        'create',
        id(1),
        '--connector-json',
        file,
        '--initiator',
        IQN,
        '--multipath',
        '--mode',
        'ro',
      ];
      assert.equal((await run(argv, { env: envOf(api) })).code, 0);
      assert.deepEqual(api.seen.at(-1)!.body, {
        attachment: {
          volume_uuid: id(1),
          connector: { initiator: IQN, host: 'h', nqn: 'n', multipath: true },
          mode: 'ro',
        },
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('takes the connector from stdin', async () => {
    await using api = await startApi(serve([]));
    const argv = ['attachment', 'create', id(1), '--connector-json', '-'];
    const { code } = await run(argv, { env: envOf(api), stdin: '{"initiator":"iqn.stdin"}' });
    assert.equal(code, 0);
    const { attachment: sent } = api.seen.at(-1)!.body as { attachment: { connector: unknown } };
    assert.deepEqual(sent.connector, { initiator: 'iqn.stdin' });
  });

  for (const [argv, stdin, message] of [
    [[], '', /Who connects\?/],
    [['--connector-json', '-'], '{', /stdin is not JSON/],
    [['--connector-json', '-'], '[1]', /does not hold a JSON object/],
    [['--connector-json', '/nowhere/file'], '', /cannot be read from \/nowhere\/file \(ENOENT\)/],
    [['--initiator', IQN, '--mode', 'wo'], '', /Allowed choices are rw, ro/],
    [['--initiator', IQN, '--url', '-f', 'json'], '', /cannot be used with/],
  ] as const) {
    it(`sends nothing for ${argv.join(' ') || 'no initiator'} ${stdin}`, async () => {
      await using api = await startApi(() => undefined);
      const { code, err } = await run(['attachment', 'create', 'x', ...argv], { env: envOf(api), stdin });
      assert.equal(code, 2);
      assert.match(err, message);
      assert.deepEqual(api.seen, []);
    });
  }

  it('says why there is no URL', async () => {
    const nvme = { ...connection, driver_volume_type: 'nvmeof' };
    await using api = await startApi(serve([], attachment(50, { connection_info: nvme })));
    const { code, out, err } = await run(['attachment', 'create', id(1), '--initiator', IQN, '--url'], {
      env: envOf(api),
    });
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /exported by 'nvmeof'/);
    assert.ok(!err.includes(PASSWORD));
  });
});

describe('attachment show, complete, delete, list', { timeout: TIMEOUT_MS }, () => {
  it('takes an id, or a volume that has only this one', async () => {
    await using api = await startApi(serve([attachment(50)]));
    for (const name of [id(50), id(1), 'volume-1']) {
      assert.equal((await run(['attachment', 'show', name, '--url'], { env: envOf(api) })).out, `${url}\n`);
    }
  });

  it('names the ids where a volume has several', async () => {
    await using api = await startApi(serve([attachment(50), attachment(51)]));
    const { code, err } = await run(['attachment', 'delete', 'volume-1'], { env: envOf(api) });
    assert.equal(code, 4);
    assert.ok(err.includes(id(50)) && err.includes(id(51)));
    assert.deepEqual(api.changes(), []);
  });

  it('says so where there is none', async () => {
    await using api = await startApi(serve([]));
    for (const [name, message] of [
      ['volume-1', /Volume volume-1 has no attachment/],
      [id(60), /no attachment, and no volume, with the name or id/],
    ] as const) {
      const { code, err } = await run(['attachment', 'show', name], { env: envOf(api) });
      assert.equal(code, 4);
      assert.match(err, message);
    }
  });

  it('completes', async () => {
    const attachments = [attachment(50)];
    await using api = await startApi(serve(attachments));
    assert.deepEqual(await run(['attachment', 'complete', id(50)], { env: envOf(api) }), { code: 0, out: '', err: '' });
    assert.equal(attachments[0]!.status, 'attached');
  });

  it('deletes several', async () => {
    const attachments = [attachment(50), attachment(51)];
    await using api = await startApi(serve(attachments));
    const ran = await run(['attachment', 'delete', id(50), id(51)], { env: envOf(api) });
    assert.deepEqual(ran, { code: 0, out: '', err: '' });
    assert.deepEqual(attachments, []);
  });

  it('fails when the attachment stays in an error status', async () => {
    const handler = serve([attachment(50, { status: 'error_detaching' })]);
    await using api = await startApi((request) => (request.method === 'DELETE' ? { status: 202 } : handler(request)));
    const { code, err } = await run(['attachment', 'delete', id(50)], { env: envOf(api) });
    assert.equal(code, 1);
    assert.match(err, /was not deleted, it is 'error_detaching'/);
  });

  it('shows what the API says when the backend refuses', async () => {
    const handler = serve([attachment(50)]);
    const refusal = fault(500, 'computeFault', 'Export of x failed: tgtadm');
    await using api = await startApi((request) => (request.method === 'DELETE' ? refusal : handler(request)));
    const { code, err } = await run(['attachment', 'delete', id(50)], { env: envOf(api) });
    assert.deepEqual([code, err], [1, 'ashlar: Export of x failed: tgtadm\n']);
  });

  it('lists without connection information', async () => {
    await using api = await startApi(serve([attachment(50)]));
    for (const format of ['table', 'json', 'value']) {
      const { out } = await run(['attachment', 'list', '--long', '-f', format], { env: envOf(api) });
      assert.ok(out.includes(id(50)));
      assert.ok(!out.includes(PASSWORD));
    }
  });
});
