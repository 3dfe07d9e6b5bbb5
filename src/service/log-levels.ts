/**
 * The log level of this process, changed while it runs, in the words of Block Storage's services. There is one logger,
 * `ashlar`; a prefix of another maker's loggers (`cinder.volume`) means it too, any other prefix nobody.
 */
import type { LogLevel } from '../log/create-logger.ts';
import { failure } from '../model/errors.ts';
import { encodeValue } from '../rpcapi/objects/encode.ts';
import { makeObject, VersionedObject } from '../rpcapi/objects/objects.ts';
import { changeLogLevel } from './report.ts';

const LOGGER = 'ashlar';

const levels: Readonly<Record<string, LogLevel>> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' };

/** Our level of `WARNING`, in any case of letters. Throws InvalidInput. */
export function levelFromWire(word: unknown): LogLevel {
  const level = typeof word === 'string' ? levels[word.toUpperCase()] : undefined;
  if (level !== undefined) return level;
  throw failure('InvalidInput', { reason: `level must be one of ${Object.keys(levels).join(', ')}.` });
}

export function levelToWire(level: string): string {
  return Object.keys(levels).find((word) => levels[word] === level) ?? level.toUpperCase();
}

/** Under which name the logger is shown to who asks for a prefix; null where the prefix means another. */
export function loggerOf(prefix: string | null | undefined): string | null {
  if (prefix == null || LOGGER.startsWith(prefix)) return LOGGER;
  return /^(cinder|ashlar)(\.|$)/.test(prefix) ? prefix : null;
}

type Answer = (args: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** The RPC methods set_log_levels and get_log_levels of every service; `log_request` is a LogLevel object. */
export const logLevelMethods: Readonly<Record<'set_log_levels' | 'get_log_levels', Answer>> = {
  async set_log_levels({ log_request }) {
    const { prefix, level } = read(log_request);
    const wanted = levelFromWire(level);
    if (loggerOf(prefix) !== null) changeLogLevel(wanted);
    return null;
  },
  async get_log_levels({ log_request }) {
    const name = loggerOf(read(log_request).prefix);
    const level = levelToWire(changeLogLevel(null));
    const objects = name === null ? [] : [makeObject('LogLevel', { prefix: name, level }, 'all')];
    return encodeValue(makeObject('LogLevelList', { objects }, 'all'));
  },
};

function read(request: unknown): { readonly prefix: string | null; readonly level: unknown } {
  const fields = request instanceof VersionedObject ? (request.fields as Readonly<Record<string, unknown>>) : {};
  return { prefix: typeof fields.prefix === 'string' ? fields.prefix : null, level: fields.level };
}
