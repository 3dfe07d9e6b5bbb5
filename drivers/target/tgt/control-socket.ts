/**
 * A client for tgtd's control socket, as of tgt 1.0.85: what tgtadm does, without a process for each request, and
 * without an account's password in an argv for everybody to read.
 *
 * A request is a struct of 120 bytes in the machine's byte order and alignment, then its parameters as text with a NUL.
 * The answer is two 32-bit words, the error and the length in all, then text. The tests compare the bytes with what
 * tgtadm itself sends.
 */
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint, failure, messageOf } from '#driver';
import type { TgtAnswer, TgtRequest, Transport } from './request.ts';

const MODES = { target: 1, logicalunit: 2, portal: 3, account: 7 } as const;
const OPERATIONS = { new: 0, delete: 1, show: 2, bind: 3, unbind: 4, update: 5 } as const;

/** Where each field of the struct stands. Fields that are not named here stay zero. */
const OFFSETS = { mode: 0, op: 4, lld: 8, length: 72, tid: 76, lun: 88, force: 116 } as const;
const HEADER_BYTES = 120;
const ANSWER_HEADER_BYTES = 8;
/** Far above any listing; an answer that claims more is not tgtd's. */
const ANSWER_LIMIT_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 20;

/** tgtadm's words for tgtd's error numbers. */
const PROBLEMS: Readonly<Record<number, string>> = {
  1: 'unknown error',
  2: 'out of memory',
  3: "can't find the driver",
  4: "can't find the target",
  5: "can't find the logical unit",
  9: 'this target already exists',
  10: 'this logical unit number already exists',
  12: 'this access control rule already exists',
  13: 'this access control rule does not exist',
  14: 'this account already exists',
  15: "can't find the account",
  16: 'too many accounts',
  17: 'invalid request',
  19: 'this target is still active',
  20: 'this logical unit is still active',
};

/** The path of a daemon's socket: `socket`, or the system's, and the control port. */
export function socketPath(socket: string | null, controlPort: number): string {
  return `${socket ?? '/var/run/tgtd/socket'}.${controlPort}`;
}

/** tgtd accepts only root on its socket. Fail points: `tgt.socket.before`, `tgt.socket.after`. */
export function createSocketTransport(path: string, lld: string, timeoutMs = TIMEOUT_MS): Transport {
  return async (request) => {
    failpoint('tgt.socket.before');
    const answer = await exchange(path, encodeRequest(request, lld), timeoutMs).catch((error: unknown) => {
      const reason = explain((error as NodeJS.ErrnoException).code, messageOf(error));
      throw failure('ConnectionFailed', { what: `tgtd at ${path}`, reason }, error);
    });
    failpoint('tgt.socket.after');
    return answer;
  };
}

/** The bytes of a request. A tid or lun that is left out means none, which tgtd reads as all ones. */
export function encodeRequest(request: TgtRequest, lld: string): Buffer {
  const parameters = encodeParameters(request);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MODES[request.mode], OFFSETS.mode);
  header.writeUInt32LE(OPERATIONS[request.op], OFFSETS.op);
  header.write(lld, OFFSETS.lld, 'latin1');
  header.writeUInt32LE(HEADER_BYTES + parameters.length, OFFSETS.length);
  header.writeUInt32LE(request.tid ?? 0xffff_ffff, OFFSETS.tid);
  header.writeBigUInt64LE(request.lun === undefined ? 0xffff_ffff_ffff_ffffn : BigInt(request.lun), OFFSETS.lun);
  header.writeUInt32LE(request.force === true ? 1 : 0, OFFSETS.force);
  return Buffer.concat([header, parameters]);
}

function encodeParameters({ op, parameters }: TgtRequest): Buffer {
  if (parameters === undefined) return Buffer.alloc(0);
  const text = Object.entries(parameters)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return Buffer.from(op === 'update' ? `targetOps ${text},\0` : `${text}\0`);
}

/** Reads an answer, of which the header at least is there. */
export function decodeAnswer(bytes: Buffer): TgtAnswer {
  const code = bytes.readUInt32LE(0);
  return {
    problem: problemOf(code),
    text: bytes.toString('utf8', ANSWER_HEADER_BYTES).replace(/\0+$/, ''),
  };
}

async function exchange(path: string, request: Buffer, timeoutMs: number): Promise<TgtAnswer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return decodeAnswer(await exchangeOnce(path, request, deadline - performance.now()));
    } catch (error) {
      // Its queue of connections is full: nothing was sent yet.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadline) throw error;
      await sleep(RETRY_DELAY_MS);
    }
  }
}

function exchangeOnce(path: string, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const chunks: Buffer[] = [];
    let received = 0;
    const settle = (error: Error | null) => {
      clearTimeout(timer);
      socket.destroy();
      if (error === null) resolve(Buffer.concat(chunks));
      else reject(error);
    };
    const timer = setTimeout(() => settle(new Error('it does not answer in time')), timeoutMs);
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < ANSWER_HEADER_BYTES) return;
      const expected = Buffer.concat(chunks.slice(0, ANSWER_HEADER_BYTES)).readUInt32LE(4);
      if (expected > ANSWER_LIMIT_BYTES) settle(new Error(`its answer claims ${expected} bytes`));
      else if (received >= expected) settle(null);
    });
    socket.on('error', settle);
    socket.on('close', () => settle(new Error('it closed the connection without a whole answer')));
  });
}

/** tgtadm's words for tgtd's error number; null for none. */
export function problemOf(code: number): string | null {
  return code === 0 ? null : (PROBLEMS[code] ?? `error ${code}`);
}

/** Why tgtd could not be asked, and what to do; `message` where the code says nothing. */
export function explain(code: string | undefined, message: string): string {
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return 'no daemon listens there. Start tgtd (systemctl start tgt), or set tgt_control_port and tgt_socket to where it listens.';
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EPIPE' || code === 'ECONNRESET') {
    return `it did not take the request (${code}). It accepts only root: run the volume service as root or give it the privileged helper, or see tgt_control.`;
  }
  return `${message}. See what tgtd does (a device that hangs?), then try again.`;
}
