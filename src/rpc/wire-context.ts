/** The request context as it travels: keys of a message, without their `_context_`. Pure. */
import type { RequestContext } from '../model/context.ts';
import type { JsonObject } from './envelope.ts';

/** Keys that are passed on as they came, with the value that says nothing. */
const carriedKeys: Readonly<Record<string, unknown>> = {
  system_scope: null,
  domain: null,
  user_domain: null,
  project_domain: null,
  auth_token: null,
  global_request_id: null,
  is_admin_project: true,
  project_name: null,
  domain_id: null,
  remote_address: null,
  quota_class: null,
};

/**
 * What we need of a sender's context.
 * @param fallbackRequestId for a sender that gives none.
 */
export function contextFromWire(wire: JsonObject, fallbackRequestId: string): RequestContext {
  const { roles } = wire;
  const carried = carriedFrom(wire);
  return {
    requestId: textOf(wire.request_id) ?? fallbackRequestId,
    userId: textOf(wire.user_id) ?? textOf(wire.user),
    projectId: textOf(wire.project_id) ?? textOf(wire.project),
    isAdmin: wire.is_admin === true,
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    ...(Object.keys(carried).length > 0 ? { carried } : {}),
  };
}

function carriedFrom(wire: JsonObject): JsonObject {
  const { service_catalog: catalog } = wire;
  const told = Object.keys(carriedKeys).filter((key) => key in wire && wire[key] !== carriedKeys[key]);
  return {
    ...Object.fromEntries(told.map((key) => [key, wire[key]])),
    ...(Array.isArray(catalog) && catalog.length > 0 ? { service_catalog: catalog } : {}),
  };
}

/** Every key that a peer may look for, in the peers' own order. `timestamp` is when the request began. */
export function contextToWire(context: RequestContext, timestamp: Date): JsonObject {
  const { requestId, userId, projectId, isAdmin, roles } = context;
  return {
    user: userId,
    project_id: projectId,
    system_scope: null,
    project: projectId,
    domain: null,
    user_domain: null,
    project_domain: null,
    is_admin: isAdmin,
    read_only: false,
    show_deleted: false,
    auth_token: null,
    request_id: requestId,
    global_request_id: null,
    resource_uuid: null,
    roles,
    user_identity: `${userId ?? '-'} ${projectId ?? '-'} - - -`,
    is_admin_project: true,
    user_id: userId,
    project_name: null,
    domain_id: null,
    read_deleted: 'no',
    remote_address: null,
    timestamp: `${timestamp.toISOString().slice(0, -1)}000`,
    quota_class: null,
    service_catalog: [],
    message_resource_id: null,
    message_resource_type: null,
    message_action: null,
    ...carriedFrom(context.carried ?? {}),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
