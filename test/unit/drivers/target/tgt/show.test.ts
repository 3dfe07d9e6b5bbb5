import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAccounts, parsePortals, parseTargets, type ShownTarget } from '../../../../../drivers/target/tgt/show.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../../fixtures/tgt/${name}.txt`, import.meta.url), 'utf8');

test('reads what tgtadm printed', () => {
  const targets = parseTargets(fixture('show-target'));
  assert.deepEqual(
    targets.map(({ tid, iqn, sessions }) => ({ tid, iqn, sessions })),
    [
      { tid: 1, iqn: 'iqn.2010-10.org.openstack:volume-one', sessions: 2 },
      { tid: 7, iqn: 'iqn.2010-10.org.openstack:volume-two', sessions: 0 },
      { tid: 8, iqn: 'iqn.2010-10.org.openstack:volume-three', sessions: 0 },
      { tid: 9, iqn: 'iqn.2010-10.org.openstack:volume-four', sessions: 0 },
    ],
  );
  const [one, two, three, four] = targets;
  assert.deepEqual(one!.units[1], {
    lun: 1,
    serial: '919340c6a1ab4f5c8c0b03bde63e5779',
    scsiId: '919340c6a1ab4f5c8c0b03bde63e5779',
    sizeMb: 1074,
    thinProvisioning: true,
    backingStoreType: 'rdwr',
    backingStorePath: '/var/lib/ashlar-fixture/volume-one',
    backingStoreFlags: 'sync:direct',
  });
  assert.deepEqual([one!.accounts, one!.outgoingAccounts, one!.addresses], [['alice'], ['target-side'], ['ALL']]);
  assert.deepEqual(two!.addresses, ['192.0.2.0/24', '127.0.0.1', 'iqn.2004-10.com.example:one']);
  assert.deepEqual(
    [two!.units[1]!.backingStorePath, two!.units[1]!.thinProvisioning],
    ['/var/lib/ashlar-fixture/volume two (2)', false],
  );
  assert.deepEqual([three!.units[1]!.backingStoreType, three!.units[1]!.sizeMb], ['aio', 3221]);
  assert.deepEqual(
    four!.units.map(({ lun }) => lun),
    [0],
  );
});

test('reads a daemon without targets, accounts and portals', () => {
  assert.deepEqual(parseTargets(fixture('show-target-empty')), []);
  assert.deepEqual(parseAccounts(fixture('show-account-empty')), []);
  assert.deepEqual(parseAccounts(fixture('show-account')), ['target-side', 'alice']);
  assert.deepEqual(parsePortals(fixture('show-portal')), ['127.0.0.1:13990']);
  assert.deepEqual(parsePortals('Portal: [::]:3260,1\nPortal: 0.0.0.0:3260,1\n'), ['[::]:3260', '0.0.0.0:3260']);
});

test('what is shown is read, whatever the names are', () => {
  const word = fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => !text.includes(':'));
  const plain = { noNullPrototype: true } as const;
  const target = fc.record(
    {
      tid: fc.nat(),
      iqn: word.map((text) => `iqn.x:${text}`),
      sessions: fc.nat(3),
      units: fc.array(
        fc.record(
          {
            lun: fc.nat(9),
            serial: word,
            scsiId: word,
            sizeMb: fc.nat(),
            thinProvisioning: fc.boolean(),
            backingStoreType: fc.constantFrom('rdwr', 'aio', 'null'),
            backingStorePath: fc.string({ unit: 'grapheme' }).map((text) => `/${text.replaceAll(/[\n\r]/g, '')}`),
            backingStoreFlags: fc.constantFrom('', 'sync', 'sync:direct'),
          },
          plain,
        ),
        { maxLength: 3 },
      ),
      accounts: fc.array(word, { maxLength: 3 }),
      outgoingAccounts: fc.array(word, { maxLength: 1 }),
      addresses: fc.array(fc.constantFrom('ALL', '192.0.2.1', '2001:db8::/32', 'iqn.x:y'), { maxLength: 3 }),
    },
    plain,
  );
  fc.assert(
    fc.property(fc.array(target, { maxLength: 4 }), (targets) => {
      assert.deepEqual(parseTargets(targets.map(show).join('')), targets);
    }),
  );
});

test('no text makes the reader throw', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'Target 1: x',
      '    LUN information:',
      '        LUN: 1',
      '            Size: x',
      '    ACL information:',
    ),
  );
  fc.assert(fc.property(fc.array(line), (lines) => void parseTargets(lines.join('\n'))));
});

/** As tgtd 1.0.85 prints it, see the fixtures. */
function show(target: ShownTarget): string {
  const { tid, iqn, sessions, units, accounts, outgoingAccounts, addresses } = target;
  const lines = [
    `Target ${tid}: ${iqn}`,
    '    System information:',
    '        Driver: iscsi',
    '        State: ready',
    '    I_T nexus information:',
    ...Array.from({ length: sessions }, (_, index) => [
      `        I_T nexus: ${index}`,
      '            Initiator: iqn.2004-10.com.example:one alias: none',
      '            Connection: 0',
      '                IP Address: 192.0.2.1',
    ]).flat(),
    '    LUN information:',
    ...units.flatMap((unit) => [
      `        LUN: ${unit.lun}`,
      '            Type: disk',
      `            SCSI ID: ${unit.scsiId}`,
      `            SCSI SN: ${unit.serial}`,
      `            Size: ${unit.sizeMb} MB, Block size: 512`,
      `            Thin-provisioning: ${unit.thinProvisioning ? 'Yes' : 'No'}`,
      `            Backing store type: ${unit.backingStoreType}`,
      `            Backing store path: ${unit.backingStorePath}`,
      `            Backing store flags: ${unit.backingStoreFlags}`,
    ]),
    '    Account information:',
    ...accounts.map((name) => `        ${name}`),
    ...outgoingAccounts.map((name) => `        ${name} (outgoing)`),
    '    ACL information:',
    ...addresses.map((address) => `        ${address}`),
  ];
  return `${lines.join('\n')}\n`;
}
