/** The kernel's iSCSI initiator (open-iscsi), which makes a real disk of an export. It takes root and a running iscsid. */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { IscsiLogin } from './initiator.ts';

const run = promisify(execFile);
const LIMIT_MS = 60_000;
const NAME_FILE = '/etc/iscsi/initiatorname.iscsi';

/** The name with which this machine logs in. */
export async function ownName(): Promise<string> {
  return /^InitiatorName=(\S+)$/m.exec(await readFile(NAME_FILE, 'utf8'))![1]!;
}

export interface MutualLogin extends IscsiLogin {
  readonly mutual_auth_username?: string;
  readonly mutual_auth_password?: string;
}

/** Logs in; the disk's path. Rejects with what iscsiadm says. */
export async function loginWithKernel(login: MutualLogin): Promise<string> {
  const node = ['--mode', 'node', '--targetname', login.target_iqn, '--portal', login.target_portal];
  const iscsiadm = (...argv: readonly string[]) => run('iscsiadm', [...node, ...argv], { timeout: LIMIT_MS });
  await iscsiadm('--op', 'new');
  const settings: Readonly<Record<string, string | undefined>> = {
    'node.session.auth.authmethod': login.auth_username === undefined ? 'None' : 'CHAP',
    'node.session.auth.username': login.auth_username,
    'node.session.auth.password': login.auth_password,
    'node.session.auth.username_in': login.mutual_auth_username,
    'node.session.auth.password_in': login.mutual_auth_password,
  };
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) await iscsiadm('--op', 'update', '--name', name, '--value', value);
  }
  try {
    await iscsiadm('--login');
  } catch (error) {
    await iscsiadm('--op', 'delete');
    throw error;
  }
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const path = await diskOf(login);
    if (path !== null) return path;
    await sleep(100);
  }
  throw new Error(`no disk of ${login.target_iqn} after 30 s`);
}

export async function logoutKernel(login: IscsiLogin): Promise<void> {
  const node = ['--mode', 'node', '--targetname', login.target_iqn, '--portal', login.target_portal];
  await run('iscsiadm', [...node, '--logout'], { timeout: LIMIT_MS }).catch(() => {});
  await run('iscsiadm', [...node, '--op', 'delete'], { timeout: LIMIT_MS });
}

/** What the portal offers to us. */
export async function discover(portal: string): Promise<string> {
  const argv = [
    '--mode',
    'discoverydb',
    '--type',
    'sendtargets',
    '--portal',
    portal,
    '--discover',
    '--op',
    'nonpersistent',
  ];
  return (
    await run('iscsiadm', argv, { timeout: LIMIT_MS }).catch(({ stdout = '' }: { stdout?: string }) => ({ stdout }))
  ).stdout;
}

/** Writes bytes to a disk past its cache, and reads them from a device's beginning likewise. */
export async function writeDisk(disk: string, bytes: Buffer): Promise<void> {
  await writeFile('/run/pattern', bytes);
  await run('dd', ['if=/run/pattern', `of=${disk}`, 'bs=4k', 'oflag=direct', 'conv=fsync,nocreat', 'status=none']);
}

export async function readDisk(disk: string, length: number): Promise<Buffer> {
  const argv = [`if=${disk}`, 'bs=4k', `count=${length / 4096}`, 'iflag=direct', 'status=none'];
  return (await run('dd', argv, { encoding: 'buffer', maxBuffer: 2 * length + 4096 })).stdout;
}

async function diskOf(login: IscsiLogin): Promise<string | null> {
  const sessions = '/sys/class/iscsi_session';
  for (const session of await readdir(sessions).catch(() => [])) {
    const name = await readFile(`${sessions}/${session}/targetname`, 'utf8').catch(() => '');
    if (name.trim() !== login.target_iqn) continue;
    const device = `${sessions}/${session}/device`;
    for (const target of (await readdir(device)).filter((entry) => /^target\d/.test(entry))) {
      for (const unit of await readdir(`${device}/${target}`)) {
        if (!unit.endsWith(`:${login.target_lun}`)) continue;
        const [disk] = await readdir(`${device}/${target}/${unit}/block`).catch(() => []);
        if (disk !== undefined) return `/dev/${disk}`;
      }
    }
  }
  return null;
}
