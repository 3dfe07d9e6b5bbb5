/** Faults as clients of Block Storage v3 read them: one key that names the kind, `code` and `message` in it. Pure. */
import type { ZodError } from 'zod';
import { isFailure } from '../model/errors.ts';
import type { ApiReply } from './route.ts';

const faultNames: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** A reply with an error's body. 401 has keystone's form, because clients read it so. */
export function fault(status: number, message: string, headers: Readonly<Record<string, string>> = {}): ApiReply {
  if (status === 401) return { status, body: { error: { code: 401, title: 'Unauthorized', message } }, headers };
  const retryAfter = headers['Retry-After'];
  const details = { code: status, message, ...(retryAfter === undefined ? {} : { retryAfter }) };
  return { status, body: { [faultNames[status] ?? 'computeFault']: details }, headers };
}

/** What is answered to a thrown error. Only failures of the catalogue show their message. */
export function faultOf(error: unknown): ApiReply {
  if (!isFailure(error)) {
    return fault(500, 'The server failed at this request. Its log has the reason under the request id.');
  }
  // Clients take a 413 without it for a passing overload and try again.
  return fault(error.status, error.message, error.status === 413 ? { 'Retry-After': '0' } : {});
}

/** The faults of a body or query in one sentence: `volume.size: expected a positive integer; volume.name: …`. */
export function describeFaults(error: ZodError): string {
  return error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ');
}
