/** Where a volume lives: `host@backend#pool`, the form of volumes.host and of a scheduler's choice. */
export interface BackendAddress {
  readonly host: string;
  readonly backend: string | null;
  readonly pool: string | null;
}

/** Splits `host@backend#pool`; backend and pool may be missing. */
export function parseBackendAddress(text: string): BackendAddress {
  const poolAt = text.indexOf('#');
  const pool = poolAt === -1 ? null : text.slice(poolAt + 1);
  const service = poolAt === -1 ? text : text.slice(0, poolAt);
  const at = service.indexOf('@');
  return at === -1
    ? { host: service, backend: null, pool }
    : { host: service.slice(0, at), backend: service.slice(at + 1), pool };
}

/** `host@backend` of `host@backend#pool`: the volume service that owns the volume. */
export function serviceHost(text: string): string {
  const poolAt = text.indexOf('#');
  return poolAt === -1 ? text : text.slice(0, poolAt);
}

/** The pool part, or null. */
export function poolName(text: string): string | null {
  return parseBackendAddress(text).pool;
}
