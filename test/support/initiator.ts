/** Real iSCSI initiators that need no kernel: qemu-io (qemu-utils, qemu-block-extra) and iscsi-inq (libiscsi-bin). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';

/** What an initiator connects to: the iSCSI parts of a ConnectionInfo's data. */
export interface IscsiLogin {
  readonly target_portal: string;
  readonly target_iqn: string;
  readonly target_lun: number;
  readonly auth_username?: string;
  readonly auth_password?: string;
  /** The name with which it logs in; the program's own when missing. */
  readonly initiator?: string;
}

const TIMEOUT_MS = 20_000;

/** Null, or what has to be installed before anything here works. */
export function missingInitiator(): string | null {
  const wanted = { 'qemu-io': 'qemu-utils and qemu-block-extra', 'iscsi-inq': 'libiscsi-bin' };
  for (const [program, packages] of Object.entries(wanted)) {
    if (!['/usr/bin', '/usr/local/bin'].some((folder) => existsSync(`${folder}/${program}`))) {
      return `there is no ${program}: apt-get install ${packages}`;
    }
  }
  return null;
}

/** Reads the data of a ConnectionInfo. */
export function loginOf(data: Readonly<Record<string, unknown>>, initiator?: string): IscsiLogin {
  assert.equal(typeof data.target_portal, 'string');
  return { ...(data as unknown as IscsiLogin), ...(initiator === undefined ? {} : { initiator }) };
}

export function iscsiUrl(login: IscsiLogin): string {
  const { auth_username: user, auth_password: password } = login;
  const who = user === undefined ? '' : `${encodeURIComponent(user)}%${encodeURIComponent(password ?? '')}@`;
  return `iscsi://${who}${login.target_portal}/${login.target_iqn}/${login.target_lun}`;
}

/** qemu-io's arguments for a login: a URL cannot say who logs in. */
function imageOf(login: IscsiLogin): string[] {
  const { auth_username: user, auth_password: password = '', initiator } = login;
  const plain = (value: string | number) => String(value).replaceAll(',', ',,');
  const options = {
    driver: 'iscsi',
    transport: 'tcp',
    portal: login.target_portal,
    target: login.target_iqn,
    lun: login.target_lun,
    ...(user === undefined ? {} : { user, 'password-secret': 'chap' }),
    ...(initiator === undefined ? {} : { 'initiator-name': initiator }),
  };
  const image = Object.entries(options).map(([key, value]) => `${key}=${plain(value)}`);
  const secret = user === undefined ? [] : ['--object', `secret,id=chap,data=${plain(password)}`];
  return [...secret, '--image-opts', image.join(',')];
}

/** 'refused' where the login is; throws for any other failure, a pattern that is not there included. */
export async function qemuIo(login: IscsiLogin | string, ...commands: readonly string[]): Promise<'ok' | 'refused'> {
  const image = typeof login === 'string' ? ['-f', 'raw', login] : imageOf(login);
  const portal = typeof login === 'string' ? new URL(login).host : login.target_portal;
  const { code, output } = await run('qemu-io', [...commands.flatMap((text) => ['-c', text]), ...image]);
  if (isRefusal(output)) return 'refused';
  // tgtd closes the connection right after it has refused, and libiscsi may see that first; no daemon looks the same.
  if (/reconnect_if_loggedin/.test(output) && (await listens(portal))) return 'refused';
  assert.ok(code === 0 && !/verification failed|failed:|error/i.test(output), `qemu-io: ${output}`);
  return 'ok';
}

/** Writes 64 KiB of one byte at an offset, over a session of its own. */
export function writePattern(login: IscsiLogin, byte: number, offsetBytes = 0): Promise<'ok' | 'refused'> {
  return qemuIo(login, `write -P ${byte} ${offsetBytes} 64k`, 'flush');
}

/** Reads 64 KiB, which must be that byte. */
export function readPattern(login: IscsiLogin, byte: number, offsetBytes = 0): Promise<'ok' | 'refused'> {
  return qemuIo(login, `read -P ${byte} ${offsetBytes} 64k`);
}

/** Only logs in. */
export function tryLogin(login: IscsiLogin): Promise<'ok' | 'refused'> {
  return qemuIo(login, 'length');
}

/** The unit serial number (VPD page 0x80) and the designators (page 0x83). */
export async function inquire(login: IscsiLogin): Promise<{ readonly serial: string; readonly designators: string }> {
  const who = login.initiator === undefined ? [] : ['-i', login.initiator];
  const page = async (number: number) => {
    const { code, output } = await run('iscsi-inq', [...who, '-e', '1', '-c', String(number), iscsiUrl(login)]);
    assert.equal(code, 0, `iscsi-inq: ${output}`);
    return output;
  };
  const [serial, designators] = [await page(0x80), await page(0x83)];
  return { serial: /Unit Serial Number:\[(.*)\]/.exec(serial)?.[1]?.trim() ?? '', designators };
}

/** A session that stays open. */
export interface Session {
  /** Runs a qemu-io command in it; 'lost' where it does not end within the time. */
  command(text: string, timeoutMs?: number): Promise<'ok' | 'lost'>;
  close(): Promise<void>;
}

export async function openSession(login: IscsiLogin): Promise<Session> {
  const child = spawn('qemu-io', imageOf(login), { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin.on('error', () => {});
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const said = (pattern: RegExp, timeoutMs: number) =>
    new Promise<boolean>((resolve) => {
      const settle = (found: boolean) => {
        clearTimeout(timer);
        listeners.delete(look);
        resolve(found);
      };
      const look = () => pattern.test(output) && settle(true);
      const timer = setTimeout(() => settle(false), timeoutMs);
      void exited.then(() => settle(pattern.test(output)));
      listeners.add(look);
      look();
    });
  const session: Session = {
    async command(text, timeoutMs = TIMEOUT_MS) {
      output = '';
      child.stdin.write(`${text}\n`);
      // The prompt comes back when the command has ended.
      const ended = await said(/qemu-io> $/, timeoutMs);
      assert.doesNotMatch(output, /verification failed|error/i);
      return ended ? 'ok' : 'lost';
    },
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
  if (!(await said(/qemu-io> $/, TIMEOUT_MS))) {
    await session.close();
    assert.fail(`no session: ${output}`);
  }
  return session;
}

function isRefusal(output: string): boolean {
  return /Failed to log in to target|Authentication failure|Target not found/.test(output);
}

function listens(portal: string): Promise<boolean> {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(portal)!;
  return new Promise((resolve) => {
    const socket = createConnection({ host: host!, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
