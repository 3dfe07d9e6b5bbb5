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

/** What a record keeps of a context beside who asked: what is carried without the secrets. */
export type RecordedContext = Pick<RequestContext, 'isAdmin' | 'roles' | 'carried'>;

/** What may be kept; a token and the addresses that it opens are not among them. */
const RECORDED_KEYS: readonly string[] = [
  'system_scope',
  'domain',
  'user_domain',
  'project_domain',
  'global_request_id',
  'is_admin_project',
  'project_name',
  'domain_id',
  'remote_address',
  'quota_class',
];

export function recordedContext({ isAdmin, roles, carried = {} }: RequestContext): RecordedContext {
  const kept = Object.entries(carried).filter(([key]) => RECORDED_KEYS.includes(key));
  return { isAdmin, roles, ...(kept.length > 0 ? { carried: Object.fromEntries(kept) } : {}) };
}
