/** Limits how often one address may fail to log in. Bounded memory; the clock is passed in. */
import { createHash } from 'node:crypto';

export interface LoginLimitOptions {
  /** Failures per window after which an address has to wait. */
  readonly failures: number;
  readonly windowMs: number;
  /** Addresses and accepted tokens remembered at the most; the oldest is forgotten first. */
  readonly capacity: number;
  readonly now: () => number;
}

export interface LoginLimit {
  /** Milliseconds that the address has to wait before this token is looked at, 0 where it need not wait. */
  waitMs(address: string, token: string): number;
  failed(address: string): void;
  /** The token was valid: it passes from now on, so that one client with an old token cannot lock out the others. */
  succeeded(token: string): void;
}

export function createLoginLimit(options: LoginLimitOptions): LoginLimit {
  const failures = new Map<string, { count: number; readonly until: number }>();
  const accepted = new Set<string>();
  return {
    waitMs(address, token) {
      const entry = failures.get(address);
      if (entry === undefined || entry.count < options.failures || accepted.has(digest(token))) return 0;
      return Math.max(0, entry.until - options.now());
    },
    failed(address) {
      const now = options.now();
      const entry = failures.get(address);
      if (entry !== undefined && entry.until > now) {
        entry.count++;
        return;
      }
      failures.delete(address);
      failures.set(address, { count: 1, until: now + options.windowMs });
      forgetOldest(failures, options.capacity);
    },
    succeeded(token) {
      const key = digest(token);
      accepted.delete(key);
      accepted.add(key);
      forgetOldest(accepted, options.capacity);
    },
  };
}

/** Maps and sets keep the order of insertion. */
function forgetOldest(entries: Map<string, unknown> | Set<string>, capacity: number): void {
  if (entries.size <= capacity) return;
  for (const key of entries.keys()) {
    entries.delete(key);
    return;
  }
}

/** Tokens are not kept in the clear. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
