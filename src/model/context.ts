/** Who asked for something, carried from the request through messages, logs and the operation record. */
export interface RequestContext {
  /** `req-<uuid>`. */
  readonly requestId: string;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly isAdmin: boolean;
  readonly roles: readonly string[];
}
