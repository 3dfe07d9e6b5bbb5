/**
 * In the guest: exports that have to outlive what serves them. `make` exports the devices given, through tgt and through
 * LIO, and writes a pattern into each; `check` reads them as initiators do, and is refused with wrong passwords.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { lioTarget } from '../../drivers/target/lio/index.ts';
import { tgtTarget } from '../../drivers/target/tgt/index.ts';
import { connect, newRequest } from '../suites/target.ts';
import { type IscsiLogin, readPattern, tryLogin, writePattern } from './initiator.ts';
import { openTarget } from './open-target.ts';
import { recorderLog } from './recorder-log.ts';

const RECORD = '/var/lib/served-exports.json';
const common = { target_ip_address: '127.0.0.1' };

interface Served {
  readonly login: IscsiLogin;
  readonly byte: number;
}

const [what, ...devices] = process.argv.slice(2);
await (what === 'make' ? make() : check());

async function make(): Promise<void> {
  const log = recorderLog();
  const open = [
    () => openTarget(tgtTarget, { ...common, volumes_dir: '/var/lib/ashlar/volumes' }, log),
    () => openTarget(tgtTarget, { ...common, volumes_dir: '/var/lib/ashlar/volumes', tgt_initiator_acl: true }, log),
    () => openTarget(lioTarget, { ...common, target_port: 3261 }, log),
    () => openTarget(lioTarget, { ...common, target_port: 3261 }, log),
  ];
  const served: Served[] = [];
  for (const [index, device] of devices.entries()) {
    const login = await connect(await open[index]!(), newRequest(device));
    const byte = 0x41 + index;
    assert.equal(await writePattern(login, byte, 1 << 20), 'ok');
    served.push({ login, byte });
  }
  await writeFile(RECORD, JSON.stringify(served));
  console.log(JSON.stringify(served.map(({ login }) => login.target_iqn)));
}

async function check(): Promise<void> {
  const served = JSON.parse(await readFile(RECORD, 'utf8')) as Served[];
  for (const { login, byte } of served) {
    assert.equal(await readPattern(login, byte, 1 << 20), 'ok', login.target_iqn);
    assert.equal(await tryLogin({ ...login, auth_password: 'somebody-elses' }), 'refused', login.target_iqn);
  }
}
