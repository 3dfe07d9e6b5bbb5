import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Argv } from '../../../../../drivers/target/iet/commands.ts';
import { planExport, planRemoval } from '../../../../../drivers/target/iet/plan.ts';
import { parseSessions, parseVolumes } from '../../../../../drivers/target/iet/proc.ts';

const volumes = `tid:3 name:iqn.2010-10.org.openstack:volume-1
\tlun:0 state:0 iotype:fileio iomode:wt blocks:2097152 blocksize:512 path:/dev/cinder-volumes/volume-1
tid:1 name:iqn.2001-04.com.example:disk
\tlun:0 state:0 iotype:blockio iomode:wt path:/dev/sdb
\tlun:1 state:0 iotype:fileio iomode:ro path:/srv/a file
tid:2 name:iqn.2010-10.org.openstack:volume-2
`;
const sessions = `tid:3 name:iqn.2010-10.org.openstack:volume-1
\tsid:562950527844864 initiator:iqn.1993-08.org.debian:01:abc
\t\tcid:0 ip:192.0.2.7 state:active hd:none dd:none
\t\tcid:1 ip:192.0.2.8 state:active hd:none dd:none
tid:1 name:iqn.2001-04.com.example:disk
\tsid:281474997486080 initiator:iqn.1993-08.org.debian:01:abc
\t\tcid:0 ip:192.0.2.7 state:active hd:none dd:none
`;

test('targets with their units, and sessions with their connections, are read', () => {
  assert.deepEqual(
    parseVolumes(volumes).map(({ tid, iqn, units }) => [tid, iqn, [...units]]),
    [
      [3, 'iqn.2010-10.org.openstack:volume-1', [[0, '/dev/cinder-volumes/volume-1']]],
      [
        1,
        'iqn.2001-04.com.example:disk',
        [
          [0, '/dev/sdb'],
          [1, '/srv/a file'],
        ],
      ],
      [2, 'iqn.2010-10.org.openstack:volume-2', []],
    ],
  );
  assert.deepEqual(parseSessions(sessions), [
    { tid: 3, sid: '562950527844864', cids: ['0', '1'] },
    { tid: 1, sid: '281474997486080', cids: ['0'] },
  ]);
  assert.deepEqual([parseVolumes(''), parseSessions('')], [[], []]);
});

const targets = parseVolumes(volumes);
const live = parseSessions(sessions);
const lines = (commands: readonly Argv[]) => commands.map((argv) => argv.join(' '));
const wanted = (name: string) => ({
  iqn: `iqn.2010-10.org.openstack:${name}`,
  devicePath: `/dev/cinder-volumes/${name}`,
  ioType: 'fileio',
});

test('what is right is not touched; a half-made target gets its unit; a new one the next number', () => {
  assert.deepEqual(planExport(wanted('volume-1'), targets, live), []);
  assert.deepEqual(lines(planExport(wanted('volume-2'), targets, live)), [
    'ietadm --op new --tid=2 --lun=0 --params Path=/dev/cinder-volumes/volume-2,Type=fileio',
  ]);
  assert.deepEqual(lines(planExport(wanted('volume-9'), targets, live)), [
    'ietadm --op new --tid=4 --params Name=iqn.2010-10.org.openstack:volume-9',
    'ietadm --op new --tid=4 --lun=0 --params Path=/dev/cinder-volumes/volume-9,Type=fileio',
  ]);
});

test('sessions end before their unit or target goes; others stay', () => {
  assert.deepEqual(lines(planExport({ ...wanted('volume-1'), devicePath: '/dev/other' }, targets, live)), [
    'ietadm --op delete --tid=3 --sid=562950527844864 --cid=0',
    'ietadm --op delete --tid=3 --sid=562950527844864 --cid=1',
    'ietadm --op delete --tid=3 --lun=0',
    'ietadm --op new --tid=3 --lun=0 --params Path=/dev/other,Type=fileio',
  ]);
  assert.deepEqual(lines(planRemoval(wanted('volume-1').iqn, targets, live)), [
    'ietadm --op delete --tid=3 --sid=562950527844864 --cid=0',
    'ietadm --op delete --tid=3 --sid=562950527844864 --cid=1',
    'ietadm --op delete --tid=3 --lun=0',
    'ietadm --op delete --tid=3',
  ]);
  assert.deepEqual(planRemoval(wanted('volume-9').iqn, targets, live), []);
});

test('reads whatever is there without breaking', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseVolumes(text);
      parseSessions(text);
    }),
  );
});
