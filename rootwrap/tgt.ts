/**
 * @tgt SOCKET LLD MODE OP [tid=N] [lun=N] [force] [key=value …]: one request to tgtd, which listens to root alone. The words
 * are what the filters look at; an account's password comes on stdin. The request's bytes are made here, as of tgt 1.0.85:
 * a struct of 120 bytes in the machine's order, then the parameters as text.
 */
import { createConnection } from 'node:net';
import { VerbError } from './files.ts';

const MODES: Readonly<Record<string, number>> = { target: 1, logicalunit: 2, portal: 3, account: 7 };
const OPERATIONS: Readonly<Record<string, number>> = { new: 0, delete: 1, show: 2, bind: 3, unbind: 4, update: 5 };
const OFFSETS = { mode: 0, op: 4, lld: 8, length: 72, tid: 76, lun: 88, force: 116 } as const;
const HEADER_BYTES = 120;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const BUSY_RETRY_MS = 20;

export function encodeTgtRequest(words: readonly string[], password: string): Buffer {
  const [lld = '', mode = '', op = '', ...rest] = words;
  const numbers: Record<string, string> = {};
  const parameters: string[] = [];
  for (const word of rest) {
    const number = /^(tid|lun)=(\d+)$|^(force)$/.exec(word);
    if (number === null) parameters.push(word);
    else numbers[number[1] ?? 'force'] = number[2] ?? '1';
  }
  if (password !== '') {
    if (mode !== 'account' || op !== 'new') throw new VerbError('only a new account has a password');
    parameters.push(`password=${password}`);
  }
  if (MODES[mode] === undefined || OPERATIONS[op] === undefined || lld.length > 15)
    throw new VerbError('no such request');
  if (parameters.some((each) => /[^!-~]|,/.test(each))) throw new VerbError('a parameter has a blank or a comma');
  const text = parameters.join(',');
  const body = text === '' ? '' : op === 'update' ? `targetOps ${text},\0` : `${text}\0`;
  const bytes = Buffer.alloc(HEADER_BYTES + Buffer.byteLength(body));
  bytes.writeUInt32LE(MODES[mode], OFFSETS.mode);
  bytes.writeUInt32LE(OPERATIONS[op], OFFSETS.op);
  bytes.write(lld, OFFSETS.lld, 'latin1');
  bytes.writeUInt32LE(bytes.length, OFFSETS.length);
  bytes.writeUInt32LE(Number(numbers['tid'] ?? 0xffff_ffff), OFFSETS.tid);
  bytes.writeBigUInt64LE(BigInt(numbers['lun'] ?? '0xffffffffffffffff'), OFFSETS.lun);
  bytes.writeUInt32LE(Number(numbers['force'] ?? 0), OFFSETS.force);
  bytes.write(body, HEADER_BYTES);
  return bytes;
}

/** tgtd's answer: its error number (0 for none) on the first line, its text from the second. */
export async function askTgtd(argv: readonly string[], input: Buffer, signal: AbortSignal): Promise<Buffer> {
  const [socket = '', ...words] = argv;
  const request = encodeTgtRequest(words, input.toString('utf8'));
  for (;;) {
    try {
      const answer = await exchange(socket, request, signal);
      return Buffer.from(`${answer.readUInt32LE(0)}\n${answer.toString('utf8', 8).replace(/\0+$/, '')}`);
    } catch (error) {
      // Its queue of connections is full: nothing was sent.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
    }
  }
}

function exchange(path: string, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    let expected = 8;
    const socket = createConnection({ path, signal });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.on('connect', () => socket.write(request));
    socket.on('error', fail);
    socket.on('close', () => fail(new VerbError('it closed the connection without a whole answer')));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received >= 8) expected = Math.max(8, Buffer.concat(chunks.slice(0, 8)).readUInt32LE(4));
      if (expected > MAX_ANSWER_BYTES) fail(new VerbError(`its answer claims ${expected} bytes`));
      else if (received >= expected) {
        resolve(Buffer.concat(chunks));
        socket.destroy();
      }
    });
  });
}
