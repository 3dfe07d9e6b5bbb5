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

export function encodeFrame(id: number, header: object, ...body: readonly Buffer[]): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(8 + json.length + body.reduce((sum, { length }) => sum + length, 0), 0);
  head.writeUInt32BE(id, 4);
  head.writeUInt32BE(json.length, 8);
  return Buffer.concat([head, json, ...body]);
}

/**
 * Takes bytes as they come, calls back for each whole frame. One that is too long is passed over without being kept, one
 * that makes no sense is named: `header` is undefined then, and the next frame is read as if nothing had been.
 */
export function createFrameReader(maxBytes: number, onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let skip = 0;
  const take = (count: number): Buffer => {
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    chunks = all.length > count ? [all.subarray(count)] : [];
    held = all.length - count;
    return all.subarray(0, count);
  };
  const peek = (): Buffer => {
    if (chunks[0]!.length < 8 && chunks.length > 1) chunks = [Buffer.concat(chunks)];
    return chunks[0]!;
  };
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    for (;;) {
      if (skip > 0) skip -= take(Math.min(skip, held)).length;
      if (skip > 0 || held < 8) return;
      const length = peek().readUInt32BE(0);
      if (length > maxBytes || length < 8) {
        onFrame({ id: peek().readUInt32BE(4), header: undefined, body: Buffer.alloc(0) });
        skip = Math.max(8, 4 + length);
      } else if (held < 4 + length) return;
      else onFrame(decode(take(4 + length)));
    }
  };
}

function decode(bytes: Buffer): Frame {
  const end = 12 + bytes.readUInt32BE(8);
  const frame = { id: bytes.readUInt32BE(4), body: Buffer.from(bytes.subarray(end)) };
  try {
    return { ...frame, header: end > bytes.length ? undefined : JSON.parse(bytes.toString('utf8', 12, end)) };
  } catch {
    return { ...frame, header: undefined };
  }
}
