/**
 * Failures as oslo.messaging writes them, to and from our errors. Pure.
 *
 * A Python caller makes the exception again only where its class is one of cinder.exception or of Python's builtins, by
 * calling the class with `args` and `kwargs`; everything else becomes its RemoteError. Our own code and parameters travel
 * in a key of our own, which Python callers do not look at.
 */
import { AshlarError, type ErrorCode, errorCatalogue, failure, isFailure, messageOf } from '../model/errors.ts';
import type { JsonObject } from './envelope.ts';

const CINDER = 'cinder.exception';
const BUILTINS = 'builtins';
const DISPATCHER = 'oslo_messaging.rpc.dispatcher';

interface PythonClass {
  readonly module: string;
  readonly name: string;
}

/** Codes that are not themselves names of Cinder's exceptions. */
const classes: Partial<Record<ErrorCode, PythonClass>> = {
  InvalidConnector: { module: CINDER, name: 'InvalidInput' },
  BackendFull: { module: CINDER, name: 'VolumeBackendAPIException' },
  CommandFailed: { module: CINDER, name: 'VolumeBackendAPIException' },
  CommandTimeout: { module: CINDER, name: 'VolumeBackendAPIException' },
  ConnectionFailed: { module: CINDER, name: 'ServiceUnavailable' },
  Overtaken: { module: CINDER, name: 'Invalid' },
  RpcTimeout: { module: CINDER, name: 'RPCTimeout' },
  NotImplemented: { module: BUILTINS, name: 'NotImplementedError' },
  Internal: { module: BUILTINS, name: 'RuntimeError' },
  NoSuchMethod: { module: DISPATCHER, name: 'NoSuchMethod' },
  UnsupportedVersion: { module: DISPATCHER, name: 'UnsupportedVersion' },
  InvalidArguments: { module: BUILTINS, name: 'TypeError' },
  MalformedMessage: { module: BUILTINS, name: 'ValueError' },
  RemoteError: { module: BUILTINS, name: 'RuntimeError' },
};

/** Classes that stand for one code when a peer sends them. */
const codesOfClasses: Readonly<Record<string, ErrorCode>> = {
  [`${DISPATCHER}.NoSuchMethod`]: 'NoSuchMethod',
  [`${DISPATCHER}.UnsupportedVersion`]: 'UnsupportedVersion',
  [`${BUILTINS}.TypeError`]: 'InvalidArguments',
  [`${BUILTINS}.NotImplementedError`]: 'NotImplemented',
};

/** Our parameters under Cinder's names, where these differ. */
const cinderNames: Partial<Record<ErrorCode, Readonly<Record<string, string>>>> = {
  VolumeNotFound: { id: 'volume_id' },
  SnapshotNotFound: { id: 'snapshot_id' },
  VolumeAttachmentNotFound: { id: 'filter' },
  VolumeTypeNotFound: { id: 'volume_type_id' },
  VolumeTypeNotFoundByName: { name: 'volume_type_name' },
  VolumeTypeExtraSpecsNotFound: { id: 'volume_type_id', key: 'extra_specs_key' },
  VolumeMetadataNotFound: { id: 'volume_id', key: 'metadata_key' },
  SnapshotMetadataNotFound: { id: 'snapshot_id', key: 'metadata_key' },
  MessageNotFound: { id: 'message_id' },
  VolumeTypeExists: { name: 'id' },
  VolumeTypeInUse: { id: 'volume_type_id' },
  VolumeIsBusy: { id: 'volume_name' },
  SnapshotIsBusy: { id: 'snapshot_name' },
  VolumeBackendAPIException: { reason: 'data' },
  InvalidConfigurationValue: { reason: 'value' },
};

/** The JSON text of `failure` in a reply. What is not an error of the catalogue travels as Internal. */
export function encodeFailure(thrown: unknown): string {
  const error = isFailure(thrown) ? thrown : failure('Internal', { reason: messageOf(thrown) });
  const { module, name } = classes[error.code] ?? { module: CINDER, name: error.code };
  return JSON.stringify({
    class: name,
    module,
    message: error.message,
    tb: [],
    args: [error.message],
    // A class of Python's own takes no keywords.
    kwargs: module === CINDER ? { ...renamed(error.params, cinderNames[error.code]), code: error.status } : {},
    ashlar: { code: error.code, params: error.params },
  });
}

/** Never throws. A class that we do not know becomes RemoteError. */
export function decodeFailure(text: string): AshlarError {
  const sent = parse(text);
  if (sent === null) return failure('RemoteError', { exception: 'unreadable', reason: 'its text is no JSON' });
  const own = ownFailure(sent.ashlar);
  if (own !== null) return own;
  const name = String(sent.class ?? 'unknown');
  const message = String(sent.message ?? '');
  const code = sent.module === CINDER && isCode(name) ? name : codesOfClasses[`${String(sent.module)}.${name}`];
  if (code === undefined) return failure('RemoteError', { exception: name, reason: message });
  const names = cinderNames[code];
  const params = scalars(renamed(isRecord(sent.kwargs) ? sent.kwargs : {}, names === undefined ? {} : swapped(names)));
  const error = new AshlarError(code, params);
  // Where our sentence cannot be filled in, the sender's stands for it.
  if (!isComplete(code, params)) error.message = message;
  return error;
}

function ownFailure(own: unknown): AshlarError | null {
  if (!isRecord(own) || typeof own.code !== 'string' || !isCode(own.code) || !isRecord(own.params)) return null;
  return new AshlarError(own.code, scalars(own.params));
}

function isComplete(code: ErrorCode, params: JsonObject): boolean {
  const wanted = errorCatalogue[code].template.matchAll(/\{(\w+)\}/g);
  return [...wanted].every(([, name]) => Object.hasOwn(params, name!));
}

function renamed(params: JsonObject, names: Readonly<Record<string, string>> = {}): JsonObject {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [lookUp(names, name) ?? name, value]));
}

function lookUp(names: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

function swapped(names: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [theirs, ours]));
}

function scalars(params: JsonObject): Record<string, string | number> {
  const kept = Object.entries(params).filter(
    (entry): entry is [string, string | number] =>
      entry[0] !== 'code' && (typeof entry[1] === 'string' || typeof entry[1] === 'number'),
  );
  return Object.fromEntries(kept);
}

function isCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCatalogue, name);
}

function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
