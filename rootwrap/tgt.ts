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

export function encodeTgtRequest([lld = '', mode = '', op = '', ...rest]: readonly string[], password: string): Buffer {
  const numbers = new Map<string, string>();
  const parameters = rest.filter((word) => {
    const [, name, value] = /^(tid|lun|force)(?:=(\d+))?$/.exec(word) ?? [];
    if (name !== undefined) numbers.set(name, value ?? '1');
    return name === undefined;
  });
  if (password !== '') {
    if (mode !== 'account' || op !== 'new') throw new VerbError('only a new account has a password');
    parameters.push(`password=${password}`);
  }
  const [modeNumber, opNumber] = [MODES[mode], OPERATIONS[op]];
  if (modeNumber === undefined || opNumber === undefined || lld.length > 15) throw new VerbError('no such request');
  if (parameters.some((each) => /[^!-~]|,/.test(each))) throw new VerbError('a parameter has a blank or a comma');
  const text = parameters.join(',');
  const body = text === '' ? '' : op === 'update' ? `targetOps ${text},\0` : `${text}\0`;
  const bytes = Buffer.alloc(HEADER_BYTES + Buffer.byteLength(body));
  bytes.writeUInt32LE(modeNumber, OFFSETS.mode);
  bytes.writeUInt32LE(opNumber, OFFSETS.op);
  bytes.write(lld, OFFSETS.lld, 'latin1');
  bytes.writeUInt32LE(bytes.length, OFFSETS.length);
  bytes.writeUInt32LE(Number(numbers.get('tid') ?? 0xffff_ffff), OFFSETS.tid);
  bytes.writeBigUInt64LE(BigInt(numbers.get('lun') ?? '0xffffffffffffffff'), OFFSETS.lun);
  bytes.writeUInt32LE(Number(numbers.get('force') ?? 0), OFFSETS.force);
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

async function exchange(path: string, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = createConnection({ path, signal });
  socket.write(request);
  let answer = Buffer.alloc(0);
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk as Buffer]);
    const expected = answer.length < 8 ? 8 : Math.max(8, answer.readUInt32LE(4));
    if (expected > MAX_ANSWER_BYTES) throw new VerbError(`its answer claims ${expected} bytes`);
    if (answer.length >= expected) return answer;
  }
  throw new VerbError('it closed the connection without a whole answer');
}
