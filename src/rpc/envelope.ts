/**
 * Bytes <-> messages of oslo.messaging's protocol 2.0. Pure. A message is JSON text inside a JSON envelope; a request
 * carries its context as `_context_*` keys, and the queue of its answer where one is awaited. README.md shows one.
 */
import { messageOf } from '../model/errors.ts';

/** Larger or deeper messages are refused before anything looks into them. */
export const MAX_BYTES = 16 << 20;
export const MAX_DEPTH = 100;

const VERSION_KEY = 'oslo.version';
const MESSAGE_KEY = 'oslo.message';
/** Ours: receivers that do not know it ignore it, as they do every key that is not theirs. */
const OPERATION_KEY = '_ashlar_operation_id';
const CONTEXT_PREFIX = '_context_';
const PROTOCOL_VERSION = '2.0';
/** What a message means that names no version. */
const IMPLIED_VERSION = '1.0';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface ReplyAddress {
  readonly messageId: string;
  readonly queue: string;
  /** The caller wants a sign of life more often than this, in seconds; null where it only waits. */
  readonly monitorSeconds: number | null;
}

export interface WireRequest {
  readonly method: string;
  readonly version: string;
  readonly namespace: string | null;
  readonly args: JsonObject;
  /** Equal for every copy of the message. */
  readonly uniqueId: string | null;
  /** The sender's own record of what it asks for; null from a sender that is not Ashlar. */
  readonly operationId: string | null;
  /** Null for a cast. */
  readonly reply: ReplyAddress | null;
  /** The sender's context, keys without their prefix. Holds secrets: auth_token, service_catalog. */
  readonly context: JsonObject;
}

export interface WireReply {
  readonly messageId: string;
  readonly uniqueId: string | null;
  readonly result: unknown;
  /** JSON text, see wire-failure.ts. */
  readonly failure: string | null;
  /** False for a sign of life. */
  readonly ending: boolean;
}

/** Bytes that are no message: why, and what could be read of them all the same. */
export interface MalformedMessage {
  readonly reason: string;
  readonly uniqueId: string | null;
  readonly reply: ReplyAddress | null;
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly malformed: MalformedMessage };

export function encodeRequest(request: WireRequest): Buffer {
  const { reply, namespace } = request;
  const message: Record<string, unknown> = { method: request.method, args: request.args, version: request.version };
  if (namespace !== null) message.namespace = namespace;
  if (reply !== null) {
    message._msg_id = reply.messageId;
    message._reply_q = reply.queue;
    message._timeout = reply.monitorSeconds;
  }
  if (request.uniqueId !== null) message._unique_id = request.uniqueId;
  if (request.operationId !== null) message[OPERATION_KEY] = request.operationId;
  for (const [key, value] of Object.entries(request.context)) message[CONTEXT_PREFIX + key] = value;
  return wrap(message);
}

/** Never throws. */
export function decodeRequest(bytes: Buffer): Decoded<WireRequest> {
  return decode(bytes, (message) => {
    const { method, version = IMPLIED_VERSION, namespace = null, args = {} } = message;
    if (typeof method !== 'string' || method === '') throw new Error('it names no method');
    if (typeof version !== 'string' || !/^\d+\.\d+$/.test(version)) throw new Error('its version is not like 3.0');
    if (namespace !== null && typeof namespace !== 'string') throw new Error('its namespace is no text');
    if (!isObject(args)) throw new Error('its args are no object');
    if (message._msg_id != null && replyOf(message) === null) throw new Error('it names no queue for the answer');
    return {
      method,
      version,
      namespace,
      args,
      uniqueId: textOf(message._unique_id),
      operationId: textOf(message[OPERATION_KEY]),
      reply: replyOf(message),
      context: contextOf(message),
    };
  });
}

export function encodeReply({ messageId, uniqueId, result, failure, ending }: WireReply): Buffer {
  return wrap({ result: result ?? null, failure, ending, _msg_id: messageId, _unique_id: uniqueId });
}

/** Never throws. */
export function decodeReply(bytes: Buffer): Decoded<WireReply> {
  return decode(bytes, (message) => {
    const { result = null, failure = null, ending = false } = message;
    const messageId = textOf(message._msg_id);
    if (messageId === null) throw new Error('it answers no message');
    if (failure !== null && typeof failure !== 'string') throw new Error('its failure is no text');
    if (typeof ending !== 'boolean') throw new Error('its ending is neither true nor false');
    return { messageId, uniqueId: textOf(message._unique_id), result, failure, ending };
  });
}

/** A message in the envelope of the protocol. */
export function wrap(message: JsonObject): Buffer {
  return Buffer.from(JSON.stringify({ [VERSION_KEY]: PROTOCOL_VERSION, [MESSAGE_KEY]: JSON.stringify(message) }));
}

function decode<T>(bytes: Buffer, read: (message: JsonObject) => T): Decoded<T> {
  let message: JsonObject | undefined;
  try {
    message = unwrap(bytes);
    return { ok: true, value: read(message) };
  } catch (error) {
    const reply = message === undefined ? null : replyOf(message);
    return {
      ok: false,
      malformed: { reason: messageOf(error), uniqueId: textOf(message?._unique_id), reply },
    };
  }
}

function unwrap(bytes: Buffer): JsonObject {
  if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes, ${MAX_BYTES} are allowed`);
  const envelope = parseObject(new TextDecoder('utf-8', { fatal: true }).decode(bytes), 'the envelope');
  const version = envelope[VERSION_KEY];
  if (version !== PROTOCOL_VERSION) throw new Error(`its ${VERSION_KEY} is not ${PROTOCOL_VERSION}`);
  const text = envelope[MESSAGE_KEY];
  if (typeof text !== 'string') throw new Error(`its ${MESSAGE_KEY} is no text`);
  return parseObject(text, `its ${MESSAGE_KEY}`);
}

/** The parser's own message would quote the text, which may hold secrets. */
function parseObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${what} is no JSON`);
  }
  if (!isObject(value)) throw new Error(`${what} is no object`);
  if (isTooDeep(value)) throw new Error(`${what} is nested more than ${MAX_DEPTH} levels deep`);
  return value;
}

function isTooDeep(root: object): boolean {
  let level: object[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((value) =>
      Object.values(value).filter((child) => typeof child === 'object' && child !== null),
    );
  }
  return false;
}

function replyOf(message: JsonObject): ReplyAddress | null {
  const messageId = textOf(message._msg_id);
  const queue = textOf(message._reply_q);
  if (messageId === null || queue === null || queue === '') return null;
  const monitor = message._timeout;
  return { messageId, queue, monitorSeconds: typeof monitor === 'number' && monitor > 0 ? monitor : null };
}

function contextOf(message: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(message)
      .filter(([key]) => key.startsWith(CONTEXT_PREFIX))
      .map(([key, value]) => [key.slice(CONTEXT_PREFIX.length), value]),
  );
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
