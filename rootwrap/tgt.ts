/**
 * @tgt SOCKET LLD MODE OP [tid=N] [lun=N] [force] [key=value …]: one request to tgtd, which listens to root alone. The words
 * are what the filters look at; an account's password comes on stdin. The request's bytes are made here, as of tgt 1.0.85:
 * a struct of 120 bytes in the machine's order, then the parameters as text.
 */
import { createConnection } from 'node:net';

const MODES = new Map(Object.entries({ target: 1, logicalunit: 2, portal: 3, account: 7 }));
const OPERATIONS = ['new', 'delete', 'show', 'bind', 'unbind', 'update'];
const OFFSETS = { mode: 0, op: 4, lld: 8, length: 72, tid: 76, lun: 88, force: 116 } as const;
const HEADER_BYTES = 120;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function encodeTgtRequest(
  [lld = '', mode = '', op = '', ...words]: readonly string[],
  password: string,
): Buffer {
  const [modeNumber, opNumber] = [MODES.get(mode), OPERATIONS.indexOf(op)];
  if (modeNumber === undefined || opNumber === -1 || lld.length > 15) throw new Error('no such request');
  if (password !== '' && (mode !== 'account' || op !== 'new')) throw new Error('only a new account has a password');
  const numbers = new Map(
    words.map((word) => /^(tid|lun|force)(?:=(\d+))?$/.exec(word)).map((each) => [each?.[1], each?.[2]]),
  );
  const parameters = words.filter((word) => !/^(tid|lun|force)(=\d+)?$/.test(word));
  if (password !== '') parameters.push(`password=${password}`);
  if (parameters.some((each) => /[^!-~]|,/.test(each))) throw new Error('a parameter has a blank or a comma');
  const text = parameters.join(',');
  const body = text === '' ? '' : op === 'update' ? `targetOps ${text},\0` : `${text}\0`;
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  bytes.writeUInt32LE(modeNumber, OFFSETS.mode);
  bytes.writeUInt32LE(opNumber, OFFSETS.op);
  bytes.write(lld, OFFSETS.lld, 'latin1');
  bytes.writeUInt32LE(bytes.length, OFFSETS.length);
  bytes.writeUInt32LE(Number(numbers.get('tid') ?? 0xffff_ffff), OFFSETS.tid);
  bytes.writeBigUInt64LE(BigInt(numbers.get('lun') ?? '0xffffffffffffffff'), OFFSETS.lun);
  bytes.writeUInt32LE(numbers.has('force') ? 1 : 0, OFFSETS.force);
  bytes.write(body, HEADER_BYTES);
  return bytes;
}

/** tgtd's answer: its error number (0 for none) on the first line, its text from the second. */
export async function askTgtd(argv: readonly string[], input: Buffer, signal: AbortSignal): Promise<Buffer> {
  const [path = '', ...words] = argv;
  const request = encodeTgtRequest(words, input.toString('utf8'));
  const socket = createConnection({ path, signal });
  socket.write(request);
  let answer = Buffer.alloc(0);
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk as Buffer]);
    const expected = answer.length < 8 ? 8 : Math.max(8, answer.readUInt32LE(4));
    if (expected > MAX_ANSWER_BYTES) throw new Error(`its answer claims ${expected} bytes`);
    if (answer.length >= expected) {
      return Buffer.from(`${answer.readUInt32LE(0)}\n${answer.toString('utf8', 8).replace(/\0+$/, '')}`);
    }
  }
  throw new Error('it closed the connection without a whole answer');
}
