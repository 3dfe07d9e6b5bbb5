/** First light, as a person sees it: one process tree, the command line, a real initiator. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { missingInitiator, qemuIo } from '../../support/initiator.ts';
import { eventually } from '../../support/node-process.ts';
import { missingTgtd } from '../../support/tgtd.ts';
import { aliveAmong, startWholeNode, type WholeNode } from '../../support/whole-node.ts';

const INITIATOR = 'iqn.2004-10.com.example:one';
const skip = missingTgtd() ?? missingInitiator() ?? false;

describe('a whole node', { skip }, () => {
  let whole: WholeNode;
  before(async () => {
    whole = await startWholeNode();
  });
  after(() => whole.close());

  const attach = (name: string) => whole.ashlar('attachment', 'create', name, '--initiator', INITIATOR, '--url');
  const detach = async (name: string) => whole.ashlar('attachment', 'delete', name);

  test('a volume is written and read through the URL, refused with a wrong password, and is there after kill -9', async () => {
    await whole.ashlar('volume', 'create', '--size', '1', '--name', 'data');
    const url = await attach('data');
    assert.equal(await qemuIo(url, 'write -P 0x5a 0 4M', 'flush', 'read -P 0x5a 0 4M'), 'ok');
    const wrong = url.replace(/%[^@]+@/, '%wrongwrongwrong@');
    assert.equal(await qemuIo(wrong, 'length'), 'refused');

    await whole.killTree();
    await whole.restart();
    assert.equal(await qemuIo(url, 'read -P 0x5a 0 4M'), 'ok');
    assert.equal(await whole.ashlar('volume', 'show', 'data', '-f', 'value', '-c', 'status'), 'in-use');
  });

  test('a snapshot and a clone hold the bytes of their moment', async () => {
    const source = await attachOnce('source', 'write -P 0x11 0 1M', 'write -P 0x22 512M 1M', 'flush');
    await whole.ashlar('snapshot', 'create', 'source', '--name', 'then');
    assert.equal(await qemuIo(source, 'write -P 0x33 0 1M', 'flush'), 'ok');
    await whole.ashlar('volume', 'create', '--snapshot', 'then', '--name', 'from-snapshot', '--size', '2');
    await whole.ashlar('volume', 'create', '--source', 'source', '--name', 'from-volume');
    assert.equal(await qemuIo(source, 'write -P 0x44 0 1M', 'flush'), 'ok');

    const snapshotBytes = ['read -P 0x11 0 1M', 'read -P 0x22 512M 1M', 'read -P 0 1024M 1M'];
    assert.equal(await qemuIo(await attach('from-snapshot'), ...snapshotBytes), 'ok');
    assert.equal(await qemuIo(await attach('from-volume'), 'read -P 0x33 0 1M', 'read -P 0x22 512M 1M'), 'ok');
    assert.equal(await qemuIo(source, 'read -P 0x44 0 1M'), 'ok');
  });

  async function attachOnce(name: string, ...commands: string[]): Promise<string> {
    await whole.ashlar('volume', 'create', '--size', '1', '--name', name);
    const url = await attach(name);
    assert.equal(await qemuIo(url, ...commands), 'ok');
    return url;
  }

  test('detaching ends the export, and the volume can be extended and deleted', async () => {
    const url = await attachOnce('passing', 'write -P 0x77 0 64k', 'flush');
    const { code, err } = await whole.tryAshlar('volume', 'delete', 'passing');
    assert.equal(code, 1);
    assert.match(err, /in-use/);
    await detach('passing');
    assert.equal(await qemuIo(url, 'length').catch(() => 'refused'), 'refused');
    await whole.ashlar('volume', 'extend', 'passing', '2');
    assert.equal(await qemuIo(await attach('passing'), 'read -P 0x77 0 64k', 'write -P 0x78 2047M 64k'), 'ok');
    await detach('passing');
    await whole.ashlar('volume', 'delete', 'passing');
    assert.deepEqual((await whole.tryAshlar('volume', 'show', 'passing')).code, 4);
  });

  test('fifty creates and deletes at once leave nothing stuck and nothing behind', async () => {
    const node = whole.node();
    const before = await allocatedGb();
    const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
    const created = await Promise.all(
      names.map((name) => node.request('POST', '/volumes', { volume: { size: 1, name } })),
    );
    assert.deepEqual([...new Set(created.map(({ status }) => status))], [202]);
    const ids = created.map(({ body }) => body.volume.id as string);
    await eventually('all to be available', async () => {
      const { body } = await node.request('GET', '/volumes/detail?name~=many-');
      const statuses = new Set(body.volumes.map((volume: { status: string }) => volume.status));
      assert.ok(!statuses.has('error'));
      return statuses.size === 1 && statuses.has('available') ? true : undefined;
    });
    await eventually('the report to count them', async () =>
      (await allocatedGb()) === before + 50 ? true : undefined,
    );
    const more = names.map((name) => node.request('POST', '/volumes', { volume: { size: 1, name: `x${name}` } }));
    const deleted = await Promise.all(ids.map((id) => node.request('DELETE', `/volumes/${id}`)));
    assert.deepEqual([...new Set(deleted.map(({ status }) => status))], [202]);
    const others = (await Promise.all(more)).map(({ body }) => body.volume.id as string);
    await eventually('the others to be available', async () => {
      const { body } = await node.request('GET', '/volumes/detail?name~=xmany-&status=available');
      return body.volumes.length === 50 ? true : undefined;
    });
    await Promise.all(others.map((id) => node.request('DELETE', `/volumes/${id}`)));
    await eventually('all to be gone', async () => {
      const { body } = await node.request('GET', '/volumes?name~=many-');
      return body.volumes.length === 0 ? true : undefined;
    });
    await eventually('the report to forget them', async () => ((await allocatedGb()) === before ? true : undefined));
    const files = await readdir(join(whole.stateDir, 'file-volumes'), { recursive: true });
    assert.deepEqual(
      files.filter((file) => [...ids, ...others].some((id) => file.includes(id))),
      [],
    );
  });

  async function allocatedGb(): Promise<number> {
    const { body } = await whole.node().request('GET', '/scheduler-stats/get_pools?detail=true');
    return body.pools[0].capabilities.allocated_capacity_gb;
  }

  test('no secret stands in the log, in argv, or in a file that others may read', async () => {
    const url = await attachOnce('secret', 'length');
    const password = /%([^@]+)@/.exec(url)![1]!;
    const token = whole.node().token;
    const log = await whole.log();
    const argv = await Promise.all(
      (await whole.tree()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    for (const secret of [password, token]) {
      assert.ok(!log.includes(secret), 'a secret is in the log');
      assert.ok(!argv.join('\n').includes(secret), 'a secret is in argv');
    }
    assert.equal((await stat(whole.stateDir)).mode & 0o077, 0);
    for (const name of ['admin-token', 'endpoint.json', 'postgres.password']) {
      assert.equal((await stat(join(whole.stateDir, name))).mode & 0o077, 0, name);
    }
    await detach('secret');
  });

  test('a tgtd that dies is started again with its exports, a PostgreSQL that dies with its data', async () => {
    const url = await attachOnce('survivor', 'write -P 0x66 0 64k', 'flush');
    for (const program of ['tgtd', 'postgres']) {
      const pid = await whole.childNamed(program);
      process.kill(pid, 'SIGKILL');
      await eventually(`${program} to be back`, async () => {
        const next = await whole.childNamed(program).catch(() => pid);
        return next === pid ? undefined : true;
      });
    }
    await eventually('the export to be back', async () =>
      (await qemuIo(url, 'read -P 0x66 0 64k').catch(() => 'down')) === 'ok' ? true : undefined,
    );
    await eventually('the API to answer from the database', async () => {
      const { status } = await whole.node().request('GET', '/volumes/detail');
      return status === 200 ? true : undefined;
    });
    await detach('survivor');
  });

  test('a second node on the same state directory is refused with a sentence', async () => {
    const { code, err } = await whole.tryAshlar('node');
    assert.equal(code, 1);
    assert.match(err, /already runs on .*--state-dir/);
  });

  test('TERM stops everything that it started, and the next start finds everything', async () => {
    const pids = await whole.tree();
    assert.ok(pids.length >= 3, `${pids}`);
    const volumes = await whole.ashlar('volume', 'list', '-f', 'json');
    await whole.node().stop();
    assert.equal((await whole.node().exited).code, 0);
    assert.deepEqual(await aliveAmong(pids), []);
    assert.equal((await whole.tryAshlar('volume', 'list')).code, 3);
    await whole.restart();
    assert.equal(await whole.ashlar('volume', 'list', '-f', 'json'), volumes);
  });
});
