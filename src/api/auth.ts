/** Who may use the API. A strategy turns a token into an identity; the server turns its absence into a 401. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface Identity {
  readonly userId: string;
  readonly projectId: string;
  readonly isAdmin: boolean;
  readonly roles: readonly string[];
}

export interface Credentials {
  /** X-Auth-Token. */
  readonly token: string;
  /** The project that the URL names, null where it names none. */
  readonly projectId: string | null;
}

/** The place where keystone will stand. */
export interface AuthStrategy {
  readonly name: string;
  /** True where a server with this strategy must not be reachable from other machines. */
  readonly loopbackOnly: boolean;
  /** Null when the token is not valid. */
  authenticate(credentials: Credentials): Promise<Identity | null>;
}

/** The project of a request that names none. */
const DEFAULT_PROJECT_ID = 'admin';

/** One secret token, that of the administrator. It acts in whatever project the URL names. */
export function tokenStrategy(adminToken: string): AuthStrategy {
  const expected = digest(adminToken);
  return {
    name: 'token',
    loopbackOnly: false,
    async authenticate({ token, projectId }) {
      // Digests have equal lengths, so that the comparison tells nothing of the token, not even its length.
      if (!timingSafeEqual(digest(token), expected)) return null;
      return { userId: 'admin', projectId: projectId ?? DEFAULT_PROJECT_ID, isAdmin: true, roles: ['admin'] };
    },
  };
}

/** Believes every token: `user:project`, or `user`. For tests behind loopback only. */
export function noauthStrategy(): AuthStrategy {
  return {
    name: 'noauth',
    loopbackOnly: true,
    async authenticate({ token, projectId }) {
      const colon = token.indexOf(':');
      const userId = colon === -1 ? token : token.slice(0, colon);
      if (userId === '') return null;
      const named = colon === -1 ? '' : token.slice(colon + 1);
      return {
        userId,
        projectId: named === '' ? (projectId ?? userId) : named,
        isAdmin: true,
        roles: ['admin'],
      };
    },
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
