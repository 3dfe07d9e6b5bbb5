import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findExport } from '../../../../../drivers/target/lio/found.ts';
import { planAdmission, planExclusion, planExport, planRemoval } from '../../../../../drivers/target/lio/plan.ts';
import type { WantedExport } from '../../../../../drivers/target/lio/wanted.ts';
import type { Step } from '../../../../../src/driver/configfs.ts';
import { emptyModel, type Model, ROOT } from './configfs-model.ts';

const IQN = 'iqn.2010-10.org.openstack:volume-1';
const GROUP = `${ROOT}/iscsi/${IQN}/tpgt_1`;
const HBA = 0x1000_0001;
const wanted: WantedExport = {
  volumeId: '1',
  iqn: IQN,
  plugin: 'iblock',
  hbaNumber: HBA,
  devicePath: '/dev/right',
  fileBytes: null,
  discards: true,
  writeCache: false,
  serial: '0123456789abcdef0123456789abcdef',
  chap: { username: 'alice', password: 'right' },
  mutualChap: null,
  portals: ['192.0.2.1:3260', '[2001:db8::1]:3260'],
  initiators: ['iqn.x:one'],
};

const find = (model: Model) => findExport(model, ROOT, IQN, HBA);
const planFor = async (model: Model, want = wanted) => planExport(ROOT, want, await find(model));

async function take(model: Model, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await model.take(step);
    assertGuarded(model, step);
  }
}

/** Whatever cuts it off: who is let in needs the password, and gets the right device. */
function assertGuarded({ files, links, directories }: Model, after: Step): void {
  if (files.get(`${GROUP}/enable`) !== '1') return;
  const why = `after ${JSON.stringify(after)}`;
  assert.equal(files.get(`${GROUP}/attrib/generate_node_acls`), '0', why);
  for (const [path, target] of links) {
    if (!/\/acls\/[^/]+\/lun_0\//.test(path)) continue;
    assert.ok(directories.has(target), why);
    const acl = path.split('/lun_0/')[0]!;
    assert.notEqual(files.get(`${acl}/auth/password`), '', why);
  }
}

test('a new export: the device, the target, who may come in, enabled last', async () => {
  const model = emptyModel();
  const { steps, initiators } = await planFor(model);
  assert.deepEqual(initiators, ['iqn.x:one']);
  assert.deepEqual(steps.at(-1), { op: 'write', path: `${GROUP}/enable`, value: '1' });
  await take(model, steps);
  assert.deepEqual((await planFor(model)).steps, []);
  assert.deepEqual(await planFor(model, { ...wanted, initiators: [] }), { steps: [], initiators, postponed: null });
});

test('initiators come and go, and the others stay', async () => {
  const model = emptyModel();
  await take(model, (await planFor(model)).steps);
  const before = model.state();
  await take(model, planAdmission(ROOT, wanted, await find(model), 'iqn.x:two'));
  assert.deepEqual(planAdmission(ROOT, wanted, await find(model), 'iqn.x:two'), []);
  assert.deepEqual((await planFor(model)).initiators, ['iqn.x:one', 'iqn.x:two']);
  await take(model, planExclusion(ROOT, IQN, await find(model), 'iqn.x:two'));
  assert.deepEqual(model.state(), before);
  await take(model, planExclusion(ROOT, IQN, await find(model), null));
  assert.deepEqual((await planFor(model, { ...wanted, initiators: [] })).initiators, []);
});

test('another password is written where the old one was, and nothing else', async () => {
  const model = emptyModel();
  await take(model, (await planFor(model)).steps);
  const changed = { ...wanted, chap: { username: 'alice', password: 'new' } };
  const { steps } = await planFor(model, changed);
  const path = `${GROUP}/acls/iqn.x:one/auth/password`;
  assert.deepEqual(steps, [{ op: 'write', path, value: 'new', secret: true }]);
});

test('a wrong serial number or size waits for those who are logged in, a wrong device does not', async () => {
  const model = emptyModel();
  await take(model, (await planFor(model)).steps);
  const serial = { ...wanted, serial: 'f'.repeat(32) };
  model.files.set(`${GROUP}/acls/iqn.x:one/info`, 'InitiatorName: iqn.x:one');
  const { steps, postponed } = await planFor(model, serial);
  assert.deepEqual(steps, []);
  assert.match(postponed!, /serial/);
  await take(model, (await planFor(model, { ...wanted, devicePath: '/dev/other' })).steps);
  assert.equal(model.files.get(`${ROOT}/core/iblock_${HBA}/${IQN}/udev_path`), '/dev/other');
  assert.deepEqual((await planFor(model, { ...wanted, devicePath: '/dev/other' })).initiators, ['iqn.x:one']);
});

test('whether a password is asked for follows the request, both ways', async () => {
  const model = emptyModel();
  for (const chap of [null, wanted.chap, null]) {
    await take(
      model,
      (await planFor(model, { ...wanted, chap })).steps.filter(({ path }) => path !== `${GROUP}/enable`),
    );
    assert.equal(model.files.get(`${GROUP}/attrib/authentication`), chap === null ? '0' : '1');
  }
});

test('what rtslib made, with other numbers, units and links, becomes ours', async () => {
  const model = emptyModel();
  const object = `${ROOT}/core/iblock_3/${IQN}`;
  const steps: readonly Step[] = [
    { op: 'mkdir', path: `${ROOT}/core/iblock_3` },
    { op: 'mkdir', path: object },
    { op: 'write', path: `${object}/udev_path`, value: '/dev/wrong' },
    { op: 'write', path: `${object}/control`, value: 'udev_path=/dev/wrong' },
    { op: 'write', path: `${object}/enable`, value: '1' },
    { op: 'mkdir', path: `${ROOT}/iscsi/${IQN}` },
    { op: 'mkdir', path: GROUP },
    { op: 'mkdir', path: `${GROUP}/lun/lun_7` },
    { op: 'link', path: `${GROUP}/lun/lun_7/6d2e`, target: object },
  ];
  for (const step of steps) await model.take(step);
  await take(model, (await planFor(model)).steps);
  assert.deepEqual(await model.list(`${ROOT}/core`), [`iblock_${HBA}`]);
  assert.deepEqual(await model.list(`${GROUP}/lun`), ['lun_0']);

  // A unit that shows something else, and one too many.
  for (const step of [
    { op: 'remove', path: `${GROUP}/acls/iqn.x:one/lun_0/unit` },
    { op: 'remove', path: `${GROUP}/lun/lun_0/storage` },
    { op: 'link', path: `${GROUP}/lun/lun_0/other`, target: `${ROOT}/iscsi` },
    { op: 'mkdir', path: `${GROUP}/lun/lun_7` },
  ] as const) {
    await model.take(step);
  }
  await take(model, (await planFor(model)).steps);
  assert.deepEqual(await model.list(`${GROUP}/lun`), ['lun_0']);
  assert.deepEqual(await model.list(`${GROUP}/lun/lun_0`), ['storage']);
});

test('cut off anywhere, any number of times, whatever was wanted before: the end is right, or nothing is left', async () => {
  const variant = fc.record({
    devicePath: fc.constantFrom('/dev/right', '/dev/other'),
    serial: fc.constantFrom(wanted.serial, 'f'.repeat(32)),
    plugin: fc.constantFrom('iblock', 'fileio'),
    chap: fc.constantFrom(null, wanted.chap, { username: 'bob', password: 'old' }),
    mutualChap: fc.constantFrom(null, { username: 'us', password: 'ours' }),
    portals: fc.constantFrom<WantedExport['portals'][]>(['192.0.2.1:3260'], ['192.0.2.9:3260', '192.0.2.1:3260']),
    initiators: fc.uniqueArray(fc.constantFrom('iqn.x:one', 'iqn.x:two')),
  });
  const cuts = fc.array(fc.record({ variant, removal: fc.boolean(), steps: fc.nat(30) }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.boolean(), async (before, removed) => {
      const model = emptyModel();
      const empty = model.state();
      for (const cut of before) {
        const earlier = { ...wanted, ...cut.variant, fileBytes: cut.variant.plugin === 'fileio' ? 4096 : null };
        const found = await find(model);
        const { steps } = planExport(ROOT, earlier, found);
        const all = cut.removal ? planRemoval(ROOT, IQN, found) : steps;
        for (const step of all.slice(0, cut.steps)) await model.take(step);
      }
      if (removed) {
        await take(model, planRemoval(ROOT, IQN, await find(model)));
        // An HBA of the other kind may stand empty where its object was never made; it is found by its number.
        assert.deepEqual(model.state(), empty);
        return;
      }
      for (const step of (await planFor(model)).steps) await model.take(step);
      const again = await planFor(model);
      assert.deepEqual(again, { steps: [], initiators: again.initiators, postponed: null });
      assert.ok(again.initiators.includes('iqn.x:one'));
      const { files } = model;
      assert.equal(files.get(`${GROUP}/acls/iqn.x:one/auth/password`), 'right');
      assert.equal(files.get(`${GROUP}/attrib/authentication`), '1');
      assert.equal(files.get(`${GROUP}/enable`), '1');
    }),
    { numRuns: 400 },
  );
});
