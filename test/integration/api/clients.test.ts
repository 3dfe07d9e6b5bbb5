/** Debian's openstack and cinder commands, unmodified, on volumes and snapshots. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type ClientTarget,
  cinderTable,
  clientsMissing,
  openstackJson,
  runCinder,
  runOpenstack,
} from '../../support/openstack-clients.ts';
import { type Bed, openBed } from './bed.ts';

type Row = Readonly<Record<string, unknown>>;

describe('the clients of Block Storage v3', { skip: clientsMissing() }, () => {
  let bed: Bed;
  let target: ClientTarget;
  let oldest: ClientTarget;
  before(async () => {
    bed = await openBed();
    const root = await bed.api.listen();
    target = { root, token: 'admin', projectId: bed.project().id, version: '3.70' };
    // Without a version of their own the clients ask for 3.0.
    oldest = { ...target, version: '3.0' };
  });
  after(() => bed?.close());

  const openstack = async (...args: readonly string[]) => {
    const { code, stderr } = await runOpenstack(oldest, ...args);
    assert.equal(code, 0, `openstack ${args.join(' ')}: ${stderr}`);
  };
  const cinder = async (...args: readonly string[]) => {
    const { code, stderr } = await runCinder(target, ...args);
    assert.equal(code, 0, `cinder ${args.join(' ')}: ${stderr}`);
  };

  it('openstack makes, shows, changes and deletes volumes and snapshots', async () => {
    const made = await openstackJson<Row>(oldest, 'volume', 'create', '--size', '1', '--property', 'a=b', 'one');
    assert.deepEqual([made.name, made.size, made.status], ['one', 1, 'creating']);
    await openstack('volume', 'set', '--size', '2', '--property', 'c=d', '--name', 'uno', '--bootable', 'one');
    await openstack('volume', 'unset', '--property', 'a', 'uno');
    const shown = await openstackJson<Row>(oldest, 'volume', 'show', 'uno');
    assert.deepEqual(
      [shown.id, shown.size, shown.status, shown.bootable, shown.properties],
      [made.id, 2, 'available', 'true', { c: 'd' }],
    );
    const listed = await openstackJson<Row[]>(oldest, 'volume', 'list', '--long', '--name', 'uno', '--all-projects');
    assert.deepEqual(
      listed.map((row) => [row.Name, row.Size, row.Status]),
      [['uno', 2, 'available']],
    );

    await openstack('volume', 'snapshot', 'create', '--volume', 'uno', '--property', 'k=v', 'snap');
    await openstack('volume', 'snapshot', 'set', '--name', 'snip', 'snap');
    const snapshots = await openstackJson<Row[]>(oldest, 'volume', 'snapshot', 'list', '--long');
    assert.deepEqual(
      snapshots.map((row) => [row.Name, row.Status, row.Size, row.Properties]),
      [['snip', 'available', 2, { k: 'v' }]],
    );
    const refused = await runOpenstack(oldest, 'volume', 'delete', 'uno');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /it has 1 snapshot/);

    await openstack('volume', 'create', '--snapshot', 'snip', 'two');
    await openstack('volume', 'create', '--source', 'uno', 'three');
    await openstack('volume', 'snapshot', 'delete', 'snip');
    await openstack('volume', 'set', '--state', 'error', 'three');
    await openstack('volume', 'delete', '--force', 'three');
    await openstack('volume', 'delete', 'uno', 'two');
    assert.deepEqual(await openstackJson(oldest, 'volume', 'list'), []);
  });

  it('openstack shows what is wrong', async () => {
    const refused = await runOpenstack(oldest, 'volume', 'create', '--size', '5000', 'big');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /5000 GiB asked for/);
    const nobody = await runOpenstack({ ...oldest, token: 'wrong' }, 'volume', 'list');
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /not valid|401|Unauthorized/);
  });

  it('cinder does the same at the newest version', async () => {
    await cinder('create', '1', '--name', 'eins', '--metadata', 'k=v');
    const [listed] = await cinderTable(target, 'list', '--filters', 'name~=ein', '--metadata', 'k=v');
    assert.deepEqual([listed?.Name, listed?.Size, listed?.Status], ['eins', '1', 'available']);
    await cinder('extend', 'eins', '3');
    await cinder('metadata', 'eins', 'set', 'x=y');
    await cinder('rename', 'eins', 'zwei');
    await cinder('snapshot-create', 'zwei', '--name', 'bild');
    const [snapshot] = await cinderTable(target, 'snapshot-list');
    assert.deepEqual([snapshot?.Name, snapshot?.Size, snapshot?.Status], ['bild', '3', 'available']);
    await cinder('reset-state', '--state', 'error', 'zwei');
    const [shown] = (await cinderTable(target, 'show', 'zwei')).filter(({ Property }) => Property === 'status');
    assert.equal(shown?.Value, 'error');
    await cinder('snapshot-delete', 'bild');
    await cinder('delete', '--cascade', 'zwei');
    assert.deepEqual(await cinderTable(target, 'list'), []);
    const [version] = (await cinderTable(target, 'version-list')).slice(-1);
    assert.deepEqual([version?.['Min Version'], version?.Version], ['3.0', '3.70']);
  });
});
