/** Lets a request in or refuses it: credentials, the project in the URL, the microversion. */
import type { FastifyRequest } from 'fastify';
import type { AuthStrategy, Identity } from './auth.ts';
import { fault } from './errors.ts';
import type { LoginLimit } from './login-limit.ts';
import { isLoopback } from './loopback.ts';
import {
  formatMicroversion,
  MAX_MICROVERSION,
  MICROVERSION_HEADER,
  MIN_MICROVERSION,
  microversionHeaders,
  negotiateMicroversion,
} from './microversion.ts';
import type { ApiReply, Microversion } from './route.ts';

export interface Admission {
  readonly identity: Identity;
  readonly version: Microversion;
}

export type AdmissionOutcome = { readonly headers: Readonly<Record<string, string>> } & (
  | { readonly kind: 'admitted'; readonly admission: Admission }
  | { readonly kind: 'refused'; readonly reply: ApiReply }
);

/** What a project id may look like in a URL. */
const PROJECT_ID = /^[0-9a-zA-Z-]{1,255}$/;

export async function admit(auth: AuthStrategy, limit: LoginLimit, request: FastifyRequest): Promise<AdmissionOutcome> {
  const negotiated = negotiate(request);
  if (auth.loopbackOnly && !isLoopback(request.ip)) {
    return refused(fault(403, `auth_strategy ${auth.name} serves this machine only.`));
  }
  const token = request.headers['x-auth-token'];
  if (typeof token !== 'string' || token === '') {
    return refused(unauthorized('The request has no X-Auth-Token.'));
  }
  const waitMs = limit.waitMs(request.ip, token);
  if (waitMs > 0) {
    const seconds = String(Math.ceil(waitMs / 1000));
    return refused(
      fault(429, `Too many failed logins from ${request.ip}. Wait ${seconds} s.`, { 'Retry-After': seconds }),
    );
  }
  const { project_id: projectId } = request.params as { readonly project_id?: string };
  if (projectId !== undefined && !PROJECT_ID.test(projectId)) {
    return refused(fault(400, 'Malformed request url: a project id is 1 to 255 letters, digits and dashes.'));
  }
  const identity = await auth.authenticate({ token, projectId: projectId ?? null });
  if (identity === null) {
    limit.failed(request.ip);
    return refused(unauthorized('The X-Auth-Token is not valid.'));
  }
  limit.succeeded(token);
  if (projectId !== undefined && identity.projectId !== projectId) {
    const reply = fault(400, `Malformed request url: the token is for project ${identity.projectId}.`);
    return { kind: 'refused', reply, headers: negotiated.headers };
  }
  if (negotiated.kind === 'refused') return negotiated;
  return { kind: 'admitted', admission: { identity, version: negotiated.version }, headers: negotiated.headers };
}

type NegotiationOutcome = { readonly headers: Readonly<Record<string, string>> } & (
  | { readonly kind: 'version'; readonly version: Microversion }
  | { readonly kind: 'refused'; readonly reply: ApiReply }
);

/** Needs no credentials, so that discovery answers as everything else does. */
export function negotiate(request: FastifyRequest): NegotiationOutcome {
  const header = request.headers[MICROVERSION_HEADER.toLowerCase()];
  const negotiated = negotiateMicroversion(Array.isArray(header) ? header.join(',') : header);
  if (negotiated.kind === 'malformed') {
    return refused(fault(400, `'${negotiated.text}' is not a version. Send ${MICROVERSION_HEADER}: volume 3.x.`));
  }
  if (negotiated.kind === 'unsupported') {
    const [min, max] = [MIN_MICROVERSION, MAX_MICROVERSION].map(formatMicroversion);
    const words = `Version ${negotiated.text} is not supported. The least is ${min}, the greatest is ${max}.`;
    return { kind: 'refused', reply: fault(406, words), headers: microversionHeaders(negotiated.text) };
  }
  const { version } = negotiated;
  return { kind: 'version', version, headers: microversionHeaders(formatMicroversion(version)) };
}

function refused(reply: ApiReply) {
  return { kind: 'refused', reply, headers: {} } as const;
}

function unauthorized(message: string): ApiReply {
  return fault(401, message, { 'WWW-Authenticate': 'Keystone' });
}
