/** Request ids: one of ours per request, and the caller's own where it sends a well-formed one. */
import { randomUUID } from 'node:crypto';

const WELL_FORMED = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function newRequestId(): string {
  return `req-${randomUUID()}`;
}

/** The value of an inbound X-OpenStack-Request-ID, or null when it is not `req-<uuid>`: it ends up in logs. */
export function globalRequestId(header: unknown): string | null {
  return typeof header === 'string' && WELL_FORMED.test(header) ? header : null;
}
