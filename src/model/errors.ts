/**
 * THE error catalogue: a stable code, the HTTP status, a message template. Codes are the names of Cinder's exceptions
 * where it has one, so that a remote caller raises the class it knows.
 */
export const errorCatalogue = {
  VolumeNotFound: { status: 404, template: 'Volume {id} could not be found.' },
  SnapshotNotFound: { status: 404, template: 'Snapshot {id} could not be found.' },
  VolumeAttachmentNotFound: { status: 404, template: 'Volume attachment {id} could not be found.' },
  VolumeTypeNotFound: { status: 404, template: 'Volume type {id} could not be found.' },
  VolumeTypeNotFoundByName: { status: 404, template: 'Volume type with name {name} could not be found.' },
  VolumeTypeExtraSpecsNotFound: { status: 404, template: 'Volume type {id} has no extra specs with key {key}.' },
  VolumeMetadataNotFound: { status: 404, template: 'Volume {id} has no metadata with key {key}.' },
  SnapshotMetadataNotFound: { status: 404, template: 'Snapshot {id} has no metadata with key {key}.' },
  VolumeTypeAccessNotFound: {
    status: 404,
    template: 'Project {projectId} has no access of its own to volume type {id}.',
  },
  VolumeTypeProjectDefaultNotFound: {
    status: 404,
    template: 'Project {projectId} has no default volume type of its own.',
  },
  MessageNotFound: { status: 404, template: 'Message {id} could not be found.' },
  ServiceNotFound: { status: 404, template: 'Service {binary} on host {host} could not be found.' },
  HostNotFound: { status: 404, template: 'Host {host} could not be found.' },
  NotFound: { status: 404, template: '{reason}' },
  NotAuthorized: { status: 403, template: 'This request needs the role {role}.' },
  AdminRequired: { status: 403, template: '{action} is for administrators.' },
  InvalidInput: { status: 400, template: 'Invalid input: {reason}' },
  InvalidVolume: { status: 400, template: 'Invalid volume: {reason}' },
  InvalidSnapshot: { status: 400, template: 'Invalid snapshot: {reason}' },
  InvalidVolumeType: { status: 400, template: 'Invalid volume type: {reason}' },
  InvalidConnector: { status: 400, template: 'Connector lacks {missing}. Send it with the connector.' },
  InvalidConfigurationValue: { status: 500, template: 'Option {option} of [{group}]: {reason}' },
  VolumeTypeExists: { status: 409, template: 'Volume type {name} already exists. Choose another name.' },
  VolumeTypeAccessExists: { status: 409, template: 'Project {projectId} already has access to volume type {id}.' },
  VolumeTypeInUse: {
    status: 400,
    template: 'Volume type {id} is in use by {count} volumes. Delete or retype them first.',
  },
  VolumeTypeDefaultDeletionError: {
    status: 400,
    template: 'Volume type {id} is the default type and cannot be deleted.',
  },
  VolumeLimitExceeded: {
    status: 413,
    template: 'The project may have {limit} volumes and has {used}. Delete one, or ask for a larger quota.',
  },
  SnapshotLimitExceeded: {
    status: 413,
    template: 'The project may have {limit} snapshots and has {used}. Delete one, or ask for a larger quota.',
  },
  VolumeSizeExceedsAvailableQuota: {
    status: 413,
    template: '{requested} GiB asked for, {used} of {limit} GiB in use. Delete something, or ask for a larger quota.',
  },
  VolumeSizeExceedsLimit: { status: 413, template: '{size} GiB asked for, a volume may have {limit} GiB at the most.' },
  NoValidBackend: { status: 500, template: 'No backend can take the volume: {reason}' },
  DriverNotInitialized: { status: 500, template: 'Backend {backend} is down: {reason}' },
  VolumeBackendAPIException: { status: 500, template: 'Backend failed: {reason}' },
  VolumeIsBusy: { status: 400, template: 'Volume {id} is busy: {reason}' },
  SnapshotIsBusy: { status: 400, template: 'Snapshot {id} is busy: {reason}' },
  BackendRefuses: { status: 500, template: 'Backend takes nothing more: {reason}' },
  BackendFull: { status: 500, template: 'Backend has {freeGb} GiB free, {requestedGb} GiB asked for.' },
  ExportFailure: { status: 500, template: 'Export of {id} failed: {reason}' },
  CommandFailed: { status: 500, template: '{command} ended with {outcome}: {stderr}' },
  CommandTimeout: { status: 500, template: '{command} was killed after {seconds} s. {next}' },
  ConnectionFailed: { status: 503, template: '{what} cannot be reached: {reason}' },
  ServiceUnavailable: { status: 503, template: '{reason}' },
  RpcTimeout: { status: 502, template: 'No answer to {method} from {topic} within {seconds} s.' },
  NoSuchMethod: { status: 501, template: 'There is no RPC method {method} here. Ask a service that has it.' },
  UnsupportedVersion: {
    status: 501,
    template: '{method} was asked for in version {version}, {supported} is served here. Pin the sender lower.',
  },
  InvalidArguments: { status: 400, template: 'Arguments of {method}: {reason}' },
  MalformedMessage: { status: 400, template: 'The message cannot be read: {reason}.' },
  RemoteError: { status: 500, template: 'The other service failed with {exception}: {reason}' },
  Fenced: {
    status: 503,
    template:
      '{what} is not ours to act on just now: its lease has run out or is with another process. It goes on where that is.',
  },
  Overtaken: { status: 409, template: '{what} changed meanwhile: {reason}' },
  NotImplemented: { status: 501, template: '{what} is not implemented. {next}' },
  Internal: { status: 500, template: '{reason}' },
} as const satisfies Record<string, { status: number; template: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
export type ErrorParams<C extends ErrorCode> = Readonly<
  Record<Placeholders<(typeof errorCatalogue)[C]['template']>, string | number>
>;

/** Every expected failure. `code` is stable, `message` is for people, `cause` is kept. */
export class AshlarError extends Error {
  override readonly name = 'AshlarError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly params: Readonly<Record<string, string | number>>;

  constructor(code: ErrorCode, params: Readonly<Record<string, string | number>>, cause?: unknown) {
    const { template, status } = errorCatalogue[code];
    super(
      template.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? '?')),
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.status = status;
    this.params = params;
  }
}

/** Makes an error of the catalogue; the parameters are checked against the template. */
export function failure<C extends ErrorCode>(code: C, params: ErrorParams<C>, cause?: unknown): AshlarError {
  return new AshlarError(code, params, cause);
}

/** True for an AshlarError, with one of the codes where codes are given. */
export function isFailure(error: unknown, ...codes: readonly ErrorCode[]): error is AshlarError {
  return error instanceof AshlarError && (codes.length === 0 || codes.includes(error.code));
}

export function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && Object.hasOwn(errorCatalogue, code);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
