import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as iet from '../../../drivers/target/iet/commands.ts';
import type * as lioFoundTypes from '../../../drivers/target/lio/found.ts';
import * as lio from '../../../drivers/target/lio/plan.ts';
import { portValues } from '../../../drivers/target/nvmet/found.ts';
import * as nvmet from '../../../drivers/target/nvmet/plan.ts';
import { wordsOf } from '../../../drivers/target/tgt/by-helper.ts';
import type { TgtRequest } from '../../../drivers/target/tgt/request.ts';
import { argumentsOf } from '../../../drivers/target/tgt/tgtadm.ts';
import * as lvm from '../../../drivers/volume/lvm/commands.ts';
import { decide } from '../../../rootwrap/match.ts';
import { helperWords, type Step } from '../../../src/driver/configfs.ts';
import { plainLook, realFilters } from '../../support/real-filters.ts';

const filters = realFilters();
const kind = (argv: readonly string[]) => decide(filters, argv, plainLook).kind;

const VG = 'cinder-volumes';
const UUID = '0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d';
const VOLUME = `volume-${UUID}`;
const SNAPSHOT = `_snapshot-${UUID}`;
const DELETED = `deleted-${VOLUME}`;
const LV_UUID = 'HE9n2S-MfKo-yOL4-kNfl-Gm2x-R7ev-hOV0cf';
const MARK = `ashlar.deleted.${LV_UUID}`;
const DEVICE = `/dev/${VG}/${VOLUME}`;
const tags = ['ashlar', 'ashlar.making'];
const named = { volumeGroup: VG, name: VOLUME, tags };
const range = { device: DEVICE, from: 0, to: 2 ** 30 };

/** Every function that makes a command line, with what it makes: a new one without a sample fails the test below. */
const lvmSamples: Record<keyof typeof lvm, readonly (readonly string[])[]> = {
  showAll: [lvm.showAll(VG)],
  listDeviceMapperTargets: [lvm.listDeviceMapperTargets()],
  createThick: [true, false].map((metadataOnly) =>
    lvm.createThick({ ...named, sizeBytes: 10 * 2 ** 30 }, { metadataOnly }),
  ),
  createCowSnapshot: [
    lvm.createCowSnapshot({ ...named, name: SNAPSHOT, origin: VOLUME, tags: ['ashlar', 'ashlar.snapshot'] }),
    lvm.createCowSnapshot({
      ...named,
      name: `clone-of-${VOLUME}`,
      origin: VOLUME,
      tags: ['ashlar', 'ashlar.temporary'],
    }),
  ],
  createThinPool: [lvm.createThinPool(VG, `${VG}-pool`, ['ashlar'])],
  createThin: [lvm.createThin({ ...named, pool: `${VG}-pool`, sizeBytes: 2 ** 30 })],
  createThinSnapshot: [lvm.createThinSnapshot({ ...named, name: SNAPSHOT, origin: VOLUME })],
  extend: [lvm.extend(VG, VOLUME, 3 * 2 ** 30)],
  remove: [lvm.remove(VG, SNAPSHOT), lvm.remove(VG, DELETED), lvm.remove(VG, DELETED, `${DELETED}.2`)],
  // What is named and not selected, or the other way round, stays.
  removeExactly: [[VOLUME], [VOLUME, DELETED]].flatMap((names) => {
    const argv = lvm.removeExactly(
      VG,
      names.map((name) => ({ name, uuid: LV_UUID })),
    );
    return names.length === 1 ? [argv] : [argv, argv.slice(0, -1)];
  }),
  rename: [
    lvm.rename(VG, VOLUME, DELETED),
    lvm.rename(VG, `revert-of-${VOLUME}`, VOLUME),
    lvm.rename(VG, SNAPSHOT, `deleted-${SNAPSHOT}.17`),
  ],
  activate: [
    lvm.activate(VG, VOLUME),
    lvm.activate(VG, VOLUME, DELETED),
    lvm.activate(VG, DELETED),
    lvm.activate(VG, `${VG}-pool`),
  ],
  addTag: [
    lvm.addTag(VG, VOLUME, 'ashlar.growing-from.1073741824'),
    lvm.addTag(VG, DELETED, 'ashlar.wiped-to.1073741824'),
  ],
  removeTag: [lvm.removeTag(VG, VOLUME, 'ashlar.making')],
  addGroupTags: [[MARK], [MARK, MARK]].map((marks) => lvm.addGroupTags(VG, marks)),
  removeGroupTags: [['ashlar.free-space-is-zero'], [MARK], [MARK, MARK]].map((marks) => lvm.removeGroupTags(VG, marks)),
  flush: [lvm.flush('/dev/sdb'), lvm.flush('/dev/disk/by-id/dm-name-x'), lvm.flush(DEVICE)],
  zeroOut: [lvm.zeroOut(range), lvm.zeroOut({ ...range, device: `/dev/${VG}/${DELETED}` })],
  zeroByDd: [lvm.zeroByDd(range)],
  copy: [true, false].map((skipZeros) => lvm.copy(range, `/dev/${VG}/${SNAPSHOT}`, { skipZeros })),
  withIonice: [lvm.zeroOut(range), lvm.zeroByDd(range), lvm.copy(range, DEVICE, { skipZeros: true })].flatMap((argv) =>
    ['-c3', '-c2 -n7'].map((ionice) => lvm.withIonice(ionice, argv)),
  ),
};

const serial = '0b1c2d3e4f504a6b8c7d9e0f1a2b3c4d';
const page = '8:0:18:0x14:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0';
const tgtSamples: readonly TgtRequest[] = [
  { mode: 'target', op: 'show' },
  { mode: 'target', op: 'new', tid: 3, parameters: { targetname: `iqn.2010-10.org.openstack:${VOLUME}` } },
  { mode: 'target', op: 'delete', tid: 3, force: true },
  { mode: 'logicalunit', op: 'new', tid: 3, lun: 1, parameters: { path: DEVICE, bstype: 'rdwr', bsoflags: 'sync' } },
  { mode: 'logicalunit', op: 'new', tid: 3, lun: 1, parameters: { path: DEVICE, bstype: 'rdwr' } },
  { mode: 'logicalunit', op: 'delete', tid: 3, lun: 1 },
  {
    ...({ mode: 'logicalunit', op: 'update', tid: 3, lun: 1 } as const),
    parameters: { scsi_sn: serial, scsi_id: serial, thin_provisioning: '1', mode_page: page },
  },
  { mode: 'target', op: 'bind', tid: 3, parameters: { 'initiator-address': 'ALL' } },
  { mode: 'target', op: 'bind', tid: 3, parameters: { 'initiator-address': '255.255.255.255' } },
  { mode: 'target', op: 'bind', tid: 3, parameters: { 'initiator-name': 'iqn.1993-08.org.debian:01:abc' } },
  { mode: 'target', op: 'unbind', tid: 3, parameters: { 'initiator-name': 'iqn.1993-08.org.debian:01:abc' } },
  { mode: 'account', op: 'delete', parameters: { user: 'f00' } },
  { mode: 'account', op: 'unbind', tid: 3, parameters: { user: 'f00' } },
];
/** Through the helper's verb alone: tgtadm would show the password, and so has no accounts. */
const accountSamples: readonly TgtRequest[] = [
  { mode: 'account', op: 'new', parameters: { user: 'f00', password: 'secret' } },
  { mode: 'account', op: 'bind', tid: 3, parameters: { user: 'f00' } },
];

const byVerb = [...tgtSamples, ...accountSamples].map((request) => [
  ...['@tgt', '/var/run/tgtd/socket.0', 'iscsi'],
  ...wordsOf(request).words,
]);
const byTool = tgtSamples.map((request) => [
  'tgtadm',
  '--control-port',
  '0',
  '--lld',
  'iscsi',
  ...argumentsOf(request),
]);
/** What the targets that are set up through configfs change, as the helper is asked for it. */
const lioRoot = '/sys/kernel/config/target';
const iqn = `iqn.2010-10.org.openstack:${VOLUME}`;
const lioWanted = {
  ...({ volumeId: UUID, iqn, plugin: 'iblock', hbaNumber: 268435456, devicePath: DEVICE, fileBytes: null } as const),
  ...({ discards: true, writeCache: false, serial, chap: { username: 'u', password: 'p' }, mutualChap: null } as const),
  ...({ portals: ['192.0.2.1:3260', '[2001:db8::1]:3260'], initiators: ['iqn.1993-08.org.debian:01:abc'] } as const),
};
const lioFound: lioFoundTypes.Found = {
  hbas: ['iblock_3'],
  objects: [{ hba: 'iblock_3', devicePath: DEVICE, enabled: true, serial, discards: true, fileBytes: null }],
  groups: [
    {
      name: 'tpgt_1',
      enabled: true,
      attributes: {},
      units: [{ name: 'lun_0', links: [{ name: 'storage', target: 'x' }] }],
      portals: ['192.0.2.1:3260'],
      acls: [
        {
          initiator: 'iqn.1993-08.org.debian:01:abc',
          auth: { userid: '', password: '', userid_mutual: '', password_mutual: '' },
          units: [{ name: 'lun_0', links: [{ name: 'unit', target: 'x' }] }],
          hasSession: false,
        },
      ],
    },
  ],
};
const nvmetRoot = '/sys/kernel/config/nvmet';
const nqn = `nqn.2010-10.org.openstack:${VOLUME}`;
const host = 'nqn.2014-08.org.nvmexpress:uuid:0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d';
const nvmetWanted = {
  ...({ nqn, devicePath: DEVICE, buffered: false, namespace: 10, serial: serial.slice(0, 20) } as const),
  ...({ uuid: UUID, hosts: [host] } as const),
};
const nvmetFound: nvmet.Found = {
  subsystem: {
    allowAnyHost: true,
    serial: '',
    model: '',
    namespaces: [{ id: '10', enabled: true, devicePath: '/dev/x', uuid: '' }],
    hosts: [host],
  },
  ports: ['1'],
};
const nvmetPort = { id: 1, address: '192.0.2.1', service: '4420' };
const configFsSteps: readonly Step[] = [
  { op: 'mkdir', path: `${lioRoot}/iscsi` },
  ...lio.planExport(lioRoot, lioWanted, { hbas: [], objects: [], groups: null }).steps,
  ...lio.planExport(lioRoot, { ...lioWanted, chap: null }, lioFound).steps,
  ...lio.planRemoval(lioRoot, iqn, lioFound),
  { op: 'mkdir', path: `${nvmetRoot}/ports/1` },
  ...Object.entries(portValues(nvmetPort)).map(
    ([name, value]): Step => ({ op: 'write', path: `${nvmetRoot}/ports/1/${name}`, value }),
  ),
  { op: 'mkdir', path: `${nvmetRoot}/hosts/${host}` },
  { op: 'write', path: `${nvmetRoot}/hosts/${host}/dhchap_key`, value: 'x', secret: true },
  ...nvmet.planExport(nvmetRoot, nvmetWanted, { subsystem: null, ports: [] }, [nvmetPort]),
  ...nvmet.planExport(nvmetRoot, nvmetWanted, nvmetFound, [nvmetPort]),
  { op: 'write', path: `${nvmetRoot}/subsystems/${nqn}/attr_allow_any_host`, value: '0' },
  { op: 'write', path: `${nvmetRoot}/subsystems/${nqn}/namespaces/10/revalidate_size`, value: '1' },
];
const byConfigFs: readonly (readonly string[])[] = [
  ...configFsSteps.map((step) => helperWords(step).argv),
  ['@read', `${lioRoot}/iscsi/${iqn}/tpgt_1/acls/iqn.1993-08.org.debian:01:abc/auth/password`],
  ['@read', `${nvmetRoot}/hosts/${host}/dhchap_key`],
  ['targetctl', 'save'],
];
const byIetadm: readonly (readonly string[])[] = [
  iet.createTarget(3, iqn),
  iet.createUnit(3, 0, DEVICE, 'fileio'),
  iet.deleteUnit(3, 0),
  iet.deleteConnection(3, '562950527844864', '0'),
  iet.deleteTarget(3),
];
const withEnv = Object.values(lvmSamples).flat().slice(0, 18);
const samples: readonly (readonly string[])[] = [
  ...Object.values(lvmSamples).flat(),
  ...withEnv.map((argv) => ['env', 'LVM_SYSTEM_DIR=/etc/cinder', 'LVM_SUPPRESS_FD_WARNINGS=1', ...argv]),
  ...byVerb,
  ...byTool,
  ...byConfigFs,
  ...byIetadm,
];

/** What an attacker would change of a command that is allowed. */
const mutations: Record<string, (argv: readonly string[], at: number) => readonly string[]> = {
  'an argument more': (argv) => [...argv, 'x'],
  'configuration behind': (argv) => [...argv, '--config', 'global { thin_check_executable = "/tmp/x" }'],
  'configuration in front': (argv) => [argv[0]!, '--config=devices{}', ...argv.slice(1)],
  'an output file': (argv) => [...argv, '-o', '/etc/passwd'],
  'a group by tag': (argv) => [...argv.slice(0, -1), '@ashlar'],
  'the last one missing': (argv) => argv.slice(0, -1),
  'a newline': (argv, at) => argv.with(at, `${argv[at]}\n`),
  'a second line': (argv, at) => argv.with(at, `${argv[at]}\nx`),
  'a shell’s semicolon': (argv, at) => argv.with(at, `${argv[at]};id`),
  'a shell’s substitution': (argv, at) => argv.with(at, `${argv[at]}$(id)`),
  'a way up': (argv, at) => argv.with(at, `${argv[at]}/../../etc/shadow`),
  'a NUL': (argv, at) => argv.with(at, `${argv[at]}\0`),
  'a blank': (argv, at) => argv.with(at, `${argv[at]} `),
  'a look-alike': (argv, at) =>
    argv.with(
      at,
      argv[at]!.replace(/[aeopi]/, (c) => ({ a: 'а', e: 'е', o: 'о', p: 'р', i: 'і' })[c]!),
    ),
  'an empty argument': (argv) => [...argv, ''],
  'the end of options': (argv) => [argv[0]!, '--', ...argv.slice(1)],
  'the program by path': (argv) => argv.map((word, at) => (at === programAt(argv) ? `/tmp/${word}` : word)),
  'the program one directory up': (argv) => argv.map((word, at) => (at === programAt(argv) ? `../${word}` : word)),
  'a library to load': (argv) => ['env', 'LD_PRELOAD=/tmp/x.so', ...argv.slice(programAt(argv))],
  'another lvm.conf': (argv) => ['env', 'LVM_SYSTEM_DIR=/tmp', ...argv.slice(programAt(argv))],
  'an lvm.conf one directory up': (argv) => [
    'env',
    'LVM_SYSTEM_DIR=/etc/cinder/../../tmp',
    ...argv.slice(programAt(argv)),
  ],
  'a PATH': (argv) => ['PATH=/tmp', ...argv.slice(programAt(argv))],
  'options of env': (argv) => ['env', '-i', ...argv.slice(programAt(argv))],
};

function programAt(argv: readonly string[]): number {
  return argv.findIndex((word, at) => word !== 'env' && (at === 0 || !word.includes('=')));
}

/** By hand: where a mutation that knows nothing of the command does not lead. */
const nearMisses: readonly string[] = [
  `lvremove --yes --config activation{retry_deactivation=1} ${VG}/${VOLUME}`,
  `lvremove --yes ${VG}/${VOLUME}`,
  `lvremove --yes --force ${VG}/${VOLUME}`,
  `lvremove --yes ${VG}`,
  `lvremove --yes @ashlar`,
  `lvremove --yes --select vg_name=${VG}`,
  `lvm`,
  `lvm fullreport ${VG}`,
  `lvm lvremove ${VG}/${VOLUME}`,
  `lvs ${VG}`,
  `lvs --reportformat json --units b --nosuffix --options all ${VG}`,
  `lvchange --addtag ashlar other-vg/${VOLUME}`,
  `lvchange --addtag ashlar ${VG}/root`,
  `lvchange --addtag foreign ${VG}/${VOLUME}`,
  `lvchange --addtag ashlar.growing-from. ${VG}/${VOLUME}`,
  `lvchange --addtag ashlar ${VG}/${VOLUME} ${VG}/${VOLUME}`,
  `lvchange --permission r ${VG}/${VOLUME}`,
  `lvchange --yes --activate n --ignoreactivationskip ${VG}/${VOLUME}`,
  `lvchange --yes --activate y --ignoreactivationskip other/${VOLUME}`,
  `vgchange --addtag ashlar.free-space-is-zero ${VG}`,
  `vgchange --addtag ashlar.deleted. ${VG}`,
  `vgchange --addtag ${MARK}`,
  `vgchange --addtag ${MARK} other`,
  `vgchange --addtag ${MARK} --deltag ashlar.free-space-is-zero ${VG}`,
  `lvremove --yes --config 'activation { retry_deactivation = 1 }' --select lv_uuid=${LV_UUID}`,
  `lvremove --yes --config 'activation { retry_deactivation = 1 }' --select lv_uuid=${LV_UUID} ${VG}`,
  `lvremove --yes --config 'activation { retry_deactivation = 1 }' --select lv_uuid=${LV_UUID} ${VG}/root`,
  `vgchange --deltag ashlar.free-space-is-zero other`,
  `vgchange -an ${VG}`,
  `vgremove --yes ${VG}`,
  `vgs`,
  `pvs`,
  `pvcreate --yes /dev/sda`,
  `lvconvert --merge ${VG}/${SNAPSHOT}`,
  `lvrename --yes ${VG} ${VOLUME} root`,
  `lvrename --yes ${VG} root ${DELETED}`,
  `lvrename --yes ${VG} ${DELETED} ${VOLUME}`,
  `lvrename --yes other ${VOLUME} ${DELETED}`,
  `lvrename --yes ${VG} ${VOLUME} deleted-root`,
  `lvrename --yes ${VG} ${SNAPSHOT} ${VOLUME}`,
  `lvrename --yes ${VG} revert-of-${VOLUME} root`,
  `lvremove --yes --config 'activation { retry_deactivation = 1 }' ${VG}/${DELETED} ${VG}/root`,
  `lvextend --yes --size +10737418240b ${VG}/${VOLUME}`,
  `lvextend --yes --size 0b ${VG}/${VOLUME}`,
  `lvextend --yes --size 10737418240B ${VG}/${VOLUME}`,
  `lvextend --yes --size 10 ${VG}/${VOLUME}`,
  `lvextend --yes --size 99999999999999999999b ${VG}/${VOLUME}`,
  `lvextend --yes --resizefs --size 10737418240b ${VG}/${VOLUME}`,
  `lvextend --yes --size 10737418240b ${VG}/root`,
  `lvcreate --yes --name root --size 1073741824b --activate y --zero y --wipesignatures y ${VG}`,
  `lvcreate --yes --name ${VOLUME} --size 1073741824b --activate y --zero n --wipesignatures y ${VG}`,
  `lvcreate --yes --name ${VOLUME} --size 1073741824b --addtag --activate y --zero y --wipesignatures y ${VG}`,
  `lvcreate --yes --name ${VOLUME} --size 1073741824b --activate y --zero y --wipesignatures y other`,
  `lvcreate --yes --name ${VOLUME} --size 1073741824b --activate y --zero y --wipesignatures y ${VG} /dev/sda`,
  `lvcreate --yes --name ${VOLUME.toUpperCase()} --size 1073741824b --activate y --zero y --wipesignatures y ${VG}`,
  `lvcreate --yes --snapshot --name ${SNAPSHOT} --extents 100%ORIGIN ${VG}/root`,
  `lvcreate --yes --snapshot --name ${SNAPSHOT} --extents 1%ORIGIN ${VG}/${VOLUME}`,
  `lvcreate --yes --type raid1 --name ${VOLUME} --size 1073741824b ${VG}`,
  `dd if=/dev/sda of=${DEVICE} bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=${DEVICE} of=/dev/sda bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=/etc/shadow of=${DEVICE} bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=${DEVICE} of=/etc/shadow bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=${DEVICE} of=/dev/${VG}/../sda bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=${DEVICE} of=/dev/other/${VOLUME} bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync status=none`,
  `dd if=${DEVICE} of=${DEVICE} bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync status=none`,
  `dd if=${DEVICE} of=${DEVICE} of=/etc/shadow bs=1048576 skip=0 seek=0 count=1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=${DEVICE} of=${DEVICE} bs=1048576 skip=0 seek=0 count=-1 iflag=direct,skip_bytes,count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=/dev/zero of=/dev/sda bs=1048576 seek=0 count=1 iflag=count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd if=/dev/zero of=/dev/${VG}//${VOLUME} bs=1048576 seek=0 count=1 iflag=count_bytes oflag=direct,seek_bytes conv=fsync,nocreat status=none`,
  `dd`,
  'sync',
  'sync --data /etc/shadow',
  'sync --data /dev/../etc/shadow',
  'sync --file-system /dev/sdb',
  `blkdiscard ${DEVICE}`,
  `blkdiscard --zeroout --offset 0 --length 1 /dev/sda`,
  `blkdiscard --zeroout --offset 0 --length 1 /dev/${VG}/root`,
  `blkdiscard --zeroout --offset 00 --length 1 ${DEVICE}`,
  `blkdiscard --zeroout --offset 0x10 --length 1 ${DEVICE}`,
  `blkdiscard --force --zeroout --offset 0 --length 1 ${DEVICE}`,
  `ionice -c3 sh`,
  `ionice -c3 -p 1`,
  `ionice -c4 blkdiscard --zeroout --offset 0 --length 1 ${DEVICE}`,
  `ionice -c3 -t blkdiscard --zeroout --offset 0 --length 1 ${DEVICE}`,
  `ionice -c3 /tmp/blkdiscard --zeroout --offset 0 --length 1 ${DEVICE}`,
  `ionice -c3 blkdiscard --zeroout --offset 0 --length 1 /dev/sda`,
  `ionice -c3 env LD_PRELOAD=/tmp/x blkdiscard --zeroout --offset 0 --length 1 ${DEVICE}`,
  `ionice -c3 ionice -c3 blkdiscard --zeroout --offset 0 --length 1 ${DEVICE}`,
  `dmsetup remove x`,
  `dmsetup targets --showkeys`,
  `dmsetup create x --table 0`,
  `@tgt /tmp/socket.0 iscsi target show`,
  `@tgt /var/run/tgtd/../../tmp/socket.0 iscsi target show`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=/etc/shadow bstype=rdwr`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=/dev/sda bstype=rdwr`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=/dev/${VG}/root bstype=rdwr`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=${DEVICE},path=/etc/shadow bstype=rdwr`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=1 path=${DEVICE} bstype=sg`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit new tid=1 lun=2 path=${DEVICE} bstype=rdwr`,
  `@tgt /var/run/tgtd/socket.0 iscsi logicalunit update tid=1 lun=1 path=/etc/shadow`,
  `@tgt /var/run/tgtd/socket.0 iscsi target new tid=1 targetname=iqn.2001-01.com.example:other`,
  `@tgt /var/run/tgtd/socket.0 iscsi target new tid=0 targetname=iqn.2010-10.org.openstack:${VOLUME}`,
  `@tgt /var/run/tgtd/socket.0 iscsi target bind tid=1 initiator-address=0.0.0.0/0`,
  `@tgt /var/run/tgtd/socket.0 iscsi target update tid=1 state=offline`,
  `@tgt /var/run/tgtd/socket.0 iscsi account new user=a password=b`,
  `@tgt /var/run/tgtd/socket.0 iscsi account show`,
  `@tgt /var/run/tgtd/socket.0 iscsi portal new portal=0.0.0.0:3260`,
  `@tgt /var/run/tgtd/socket.0 iscsi system delete`,
  `tgtadm --lld iscsi --mode system --op delete`,
  `tgtadm --control-port 0 --lld iscsi --mode account --op new --user a --password b`,
  `tgtadm --control-port 0 --lld iscsi --mode logicalunit --op new --tid 1 --lun 1 --backing-store /etc/shadow --bstype rdwr`,
  `ietadm --op delete`,
  `ietadm --op new --tid=3 --lun=0 --params Path=/dev/sda,Type=fileio`,
  `ietadm --op new --tid=3 --user --params=IncomingUser=a,Password=b`,
  `tgt-admin --execute`,
  `@write ${lioRoot}/core/iblock_1/${iqn}/control udev_path=/dev/sda,readonly=0`,
  `@write ${lioRoot}/core/iblock_1/${iqn}/control udev_path=/dev/${VG}/root,readonly=0`,
  `@write ${lioRoot}/core/iblock_1/${iqn}/control`,
  `@write ${lioRoot}/core/fileio_1/${iqn}/control fd_dev_name=/etc/shadow,fd_dev_size=4096`,
  `@write ${lioRoot}/core/pscsi_1/${iqn}/control udev_path=${DEVICE},readonly=0`,
  `@write ${lioRoot}/iscsi/${iqn}/tpgt_1/attrib/generate_node_acls 1`,
  `@write ${lioRoot}/iscsi/iqn.2001-01.com.example:other/tpgt_1/enable 0`,
  `@remove ${lioRoot}/iscsi/iqn.2001-01.com.example:other`,
  `@link ${lioRoot}/core/iblock_1/other ${lioRoot}/iscsi/${iqn}/tpgt_1/lun/lun_0/storage`,
  `@write ${lioRoot}/dbroot /tmp`,
  `@write ${nvmetRoot}/subsystems/${nqn}/namespaces/10/device_path /dev/sda`,
  `@write ${nvmetRoot}/subsystems/${nqn}/namespaces/10/device_path`,
  `@write ${nvmetRoot}/subsystems/${nqn}/attr_allow_any_host 1`,
  `@remove ${nvmetRoot}/subsystems/nqn.other`,
  `@write /etc/passwd`,
  `@write /etc/passwd x`,
  `targetctl save /etc/passwd`,
  `targetctl restore /tmp/x`,
  `targetcli`,
  `@read /etc/shadow`,
  `@mkdir /etc/x`,
  `@remove /etc/passwd`,
  `@link /etc/shadow /tmp/x`,
  `@anything`,
  `env`,
  `env lvs`,
  `sh -c id`,
  `bash`,
  `sudo id`,
  `cat /etc/shadow`,
  `chmod u+s /bin/sh`,
  `cp /bin/sh /tmp`,
  `mount /dev/sda /mnt`,
  `kill -9 1`,
  `ip netns exec x sh`,
  `privsep-helper`,
  `losetup --find --show /tmp/x`,
  `vgcreate --yes x /dev/sda`,
  `node`,
  `ashlar-rootwrap`,
  `--daemon`,
];

describe('the project’s filters', () => {
  it('allow every command of the lvm driver, with and without its environment', () => {
    assert.deepEqual(Object.keys(lvmSamples).toSorted(), Object.keys(lvm).toSorted(), 'a command without a sample');
    const refused = samples.filter((argv) => !['run', 'verb'].includes(kind(argv)));
    assert.deepEqual(refused, []);
    assert.ok(samples.length >= 60, `only ${samples.length} samples`);
  });

  it('are all of use: each allows one of the samples', () => {
    const used = new Set(
      samples.map((argv) => {
        const decision = decide(filters, argv, plainLook);
        return 'filter' in decision ? decision.filter.name : '';
      }),
    );
    // Listings and closings that differ from their twins in one word.
    const alike = new Set(['portals', 'close', 'tgtadm_close']);
    assert.deepEqual(
      filters.filter(({ name }) => !used.has(name) && !alike.has(name)).map(({ name }) => name),
      [],
    );
  });

  it('are of the strict kind', () => {
    assert.deepEqual(
      filters.filter((filter) => filter.kind !== 'ArgvFilter' || filter.runAs !== 'root').map(({ name }) => name),
      [],
    );
  });

  it('refuse every near miss: what is derived from each allowed command', (t) => {
    let tried = 0;
    for (const sample of samples) {
      for (const [name, mutate] of Object.entries(mutations)) {
        for (let at = 0; at < sample.length; at += 1) {
          const argv = mutate(sample, at);
          if (samples.some((other) => other.join('\0') === argv.join('\0'))) continue;
          tried += 1;
          assert.equal(kind(argv), 'refused', `${name}: ${JSON.stringify(argv)}`);
          if (mutate.length < 2) break;
        }
      }
    }
    t.diagnostic(`${tried} near misses`);
    assert.ok(tried >= 300, `only ${tried} near misses`);
  });

  it('refuse every near miss that was written down', () => {
    const allowed = nearMisses.filter((line) => kind(line.split(' ')) !== 'refused');
    assert.deepEqual(allowed, []);
  });

  it('refuse a path whose directory others than root can change', () => {
    const argv = ['env', 'LVM_SYSTEM_DIR=/etc/cinder', ...lvm.showAll(VG)];
    assert.equal(decide(filters, argv, plainLook).kind, 'run');
    assert.equal(decide(filters, argv, { ...plainLook, isTrusted: () => false }).kind, 'refused');
  });
});
