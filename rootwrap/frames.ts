/**
 * The daemon's protocol, both ends. A frame: u32 length of what follows, u32 id of the request, u32 length of the header,
 * the header (JSON), the body (bytes); numbers big-endian. The body of a request is stdin, of an answer stdout and stderr.
 */
export interface Frame {
  readonly id: number;
  readonly header: unknown;
  readonly body: Buffer;
}

/** Id 0 is the daemon's own: its first frame, once it is ready. */
export interface RequestHeader {
  /** Assignments of the environment may stand before the program, as after `env`. */
  readonly argv?: readonly string[];
  readonly timeoutMs?: number;
  readonly outputLimitBytes?: number;
  /** Killed by the kernel when the daemon dies. */
  readonly diesWithUs?: boolean;
  /** Instead of all the above: kill the command of this id. */
  readonly cancel?: true;
}

export interface AnswerHeader {
  readonly outcome: 'exit' | 'signal' | 'timeout' | 'output limit' | 'aborted' | 'missing' | 'refused';
  readonly exitCode: number | null;
  /** The signal's name, or what is to be said of the outcome. */
  readonly detail: string;
  /** How many bytes of the body are stdout; the rest is stderr. */
  readonly stdoutBytes: number;
  readonly durationMs: number;
}

export const MAX_REQUEST_BYTES = 1024 * 1024;
const HEAD_BYTES = 12;

export function encodeFrame(id: number, header: object, ...body: readonly Buffer[]): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.concat([Buffer.alloc(HEAD_BYTES), json, ...body]);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt32BE(id, 4);
  bytes.writeUInt32BE(json.length, 8);
  return bytes;
}

/**
 * Takes bytes as they come, calls back for each whole frame. One that is too long is passed over without being kept, one
 * that makes no sense is named: `header` is undefined then, and the next frame is read as if nothing had been.
 */
export function createFrameReader(maxBytes: number, onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 8;
  let skip = 0;
  return (chunk) => {
    const fresh = chunk.subarray(skip);
    skip -= chunk.length - fresh.length;
    chunks.push(fresh);
    held += fresh.length;
    if (held < needed) return;
    let bytes = Buffer.concat(chunks);
    for (needed = 8; bytes.length >= needed; ) {
      const length = bytes.readUInt32BE(0);
      const isSane = length >= 8 && length <= maxBytes;
      const end = Math.max(8, 4 + length);
      if (isSane && bytes.length < end) needed = end;
      else {
        onFrame(decode(bytes.subarray(0, end), isSane));
        skip = Math.max(0, end - bytes.length);
        bytes = bytes.subarray(end);
        needed = 8;
      }
    }
    chunks = [bytes];
    held = bytes.length;
  };
}

function decode(bytes: Buffer, isSane: boolean): Frame {
  const frame = { id: bytes.readUInt32BE(4), header: undefined, body: Buffer.alloc(0) };
  try {
    const end = HEAD_BYTES + (isSane ? bytes.readUInt32BE(8) : Number.NaN);
    const header: unknown = end <= bytes.length ? JSON.parse(bytes.toString('utf8', HEAD_BYTES, end)) : undefined;
    return header === undefined ? frame : { ...frame, header, body: Buffer.from(bytes.subarray(end)) };
  } catch {
    return frame;
  }
}
