/** All that the kernel's own targets change in configfs passes the filters: their suites run only where LIO and nvmet are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type * as lioFoundTypes from '../../../drivers/target/lio/found.ts';
import * as lio from '../../../drivers/target/lio/plan.ts';
import * as nvmet from '../../../drivers/target/nvmet/plan.ts';
import { decide } from '../../../rootwrap/match.ts';
import { helperWords, type Step } from '../../../src/driver/configfs.ts';
import { plainLook, realFilters } from '../../support/real-filters.ts';

/** Every function that plans, by its name: a new one without an example does not compile. */
type Plans<Module> = {
  readonly [Name in keyof Module as Module[Name] extends (...args: never[]) => unknown ? Name : never]: readonly Step[];
};

const UUID = '0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d';
const DEVICE = `/dev/cinder-volumes/volume-${UUID}`;
const serial = UUID.replaceAll('-', '');

const lioRoot = '/sys/kernel/config/target';
const iqn = `iqn.2010-10.org.openstack:volume-${UUID}`;
const initiator = 'iqn.1993-08.org.debian:01:abc';
const lioWanted = {
  ...({ volumeId: UUID, iqn, plugin: 'iblock', hbaNumber: 7, devicePath: DEVICE, fileBytes: null, serial } as const),
  ...({ discards: true, writeCache: false, portals: ['192.0.2.1:3260', '[2001:db8::1]:3260'] } as const),
  chap: { username: 'u', password: 'p' },
  mutualChap: { username: 'm', password: 'q' },
  initiators: [initiator],
};
const nothing: lioFoundTypes.Found = { hbas: [], objects: [], groups: null };
const lioFound: lioFoundTypes.Found = {
  hbas: ['iblock_3'],
  objects: [{ hba: 'iblock_3', devicePath: '/dev/other', enabled: true, serial: '', discards: false, fileBytes: null }],
  groups: [
    {
      ...{ name: 'tpgt_1', enabled: true, attributes: {}, portals: ['192.0.2.1:3260', '[2001:db8::1]:3260'] },
      units: [{ name: 'lun_0', links: [{ name: 'ab12', target: 'x' }] }],
      acls: [
        {
          ...{ initiator, hasSession: true },
          auth: { userid: '', password: '', userid_mutual: '', password_mutual: '' },
          units: [{ name: 'lun_0', links: [{ name: 'cd34', target: 'x' }] }],
        },
      ],
    },
  ],
};
const lioPlans: Plans<typeof lio> = {
  planExport: [
    ...lio.planExport(lioRoot, lioWanted, nothing).steps,
    ...lio.planExport(lioRoot, lioWanted, lioFound).steps,
    ...lio.planExport(lioRoot, { ...lioWanted, chap: null, mutualChap: null }, nothing).steps,
  ],
  planRemoval: lio.planRemoval(lioRoot, iqn, lioFound),
  planAdmission: [nothing, lioFound].flatMap((found) => lio.planAdmission(lioRoot, lioWanted, found, initiator)),
  planExclusion: [initiator, null].flatMap((who) => lio.planExclusion(lioRoot, iqn, lioFound, who)),
};

const nvmetRoot = '/sys/kernel/config/nvmet';
const nqn = `nqn.2010-10.org.openstack:volume-${UUID}`;
const host = `nqn.2014-08.org.nvmexpress:uuid:${UUID}`;
const ports = [
  { id: 1, address: '192.0.2.1', service: '4420' },
  { id: 2, address: '2001:db8::1', service: '4420' },
];
const nvmetWanted = {
  ...({ nqn, devicePath: DEVICE, buffered: false, namespace: 10, serial: serial.slice(0, 20), uuid: UUID } as const),
  hosts: [host],
};
const absent: nvmet.Found = { subsystem: null, ports: [] };
const present: nvmet.Found = {
  subsystem: {
    ...{ allowAnyHost: true, serial: '', model: '', hosts: [host] },
    namespaces: [{ id: '10', enabled: true, devicePath: '/dev/other', uuid: '' }],
  },
  ports: ['1', '2'],
};
const nvmetPlans: Plans<typeof nvmet> = {
  planExport: [absent, present].flatMap((found) => nvmet.planExport(nvmetRoot, nvmetWanted, found, ports)),
  planRemoval: nvmet.planRemoval(nvmetRoot, nqn, present),
  planAdmission: nvmet.planAdmission(nvmetRoot, nqn, absent, host),
  planExclusion: [host, null].flatMap((who) => nvmet.planExclusion(nvmetRoot, nqn, present, who)),
};

describe('the project’s filters', () => {
  const filters = realFilters();
  for (const [target, plans] of Object.entries({ lio: lioPlans, nvmet: nvmetPlans })) {
    for (const [name, steps] of Object.entries<readonly Step[]>({ ...plans })) {
      it(`allow every step of ${target}, ${name}`, () => {
        assert.ok(steps.length > 0);
        const refused = steps.filter((step) => decide(filters, helperWords(step).argv, plainLook).kind !== 'verb');
        assert.deepEqual(refused, []);
      });
    }
  }
});
