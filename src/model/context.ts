/** Who asked for something, carried from the request through messages, logs and the operation record. */
export interface RequestContext {
  /** `req-<uuid>`. */
  readonly requestId: string;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly isAdmin: boolean;
  readonly roles: readonly string[];
  /**
   * What else the sender's context held (its token, a service catalogue, domains), by the wire's names, to be passed on
   * with what is asked on its behalf. Holds a secret: never logged, never recorded.
   */
  readonly carried?: Readonly<Record<string, unknown>>;
}
