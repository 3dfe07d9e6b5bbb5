/**
 * A message as it came -> what to do with it. Nothing here throws: whatever arrives has an answer.
 */
import { decodeFields, type Fault } from '../objects/decode.ts';
import { type Field, readField } from '../objects/field.ts';
import { forward } from '../objects/history.ts';
import { type ObjectName, VersionedObject } from '../objects/objects.ts';
import { understands } from '../objects/version.ts';
import { type OperationMethod, type RequestArguments, requestArguments, SCHEDULER_TOPIC } from '../requests.ts';
import { type Aftermath, aftermathOf } from './aftermath.ts';
import type { WireMethod, WireTable } from './method.ts';
import { type MadeRequest, type MakeRequest, schedulerRequests, volumeRequests } from './requests-from-wire.ts';
import { schedulerMethods } from './scheduler-methods.ts';
import { volumeMethods } from './volume-methods.ts';

/** What an operation's record is made of. */
export type WireRequest = {
  readonly [M in OperationMethod]: {
    readonly method: M;
    readonly resourceType: 'volume' | 'snapshot' | 'attachment';
    readonly resourceId: string;
    readonly arguments: RequestArguments<M>;
    /** Who has to act, `cinder-scheduler` or a `host@backend`; null: the service that the message reached. */
    readonly owner: string | null;
  };
}[OperationMethod];

export type Received =
  | { readonly kind: 'operation'; readonly request: WireRequest; readonly ignored: readonly string[] }
  /** To be answered now; the arguments are decoded and have their defaults. */
  | { readonly kind: 'direct'; readonly method: string; readonly args: Readonly<Record<string, unknown>> }
  /** `aftermath`: what the peer wrote before it asked, and what becomes of it. */
  | { readonly kind: 'refused'; readonly reason: string; readonly aftermath: Aftermath | null }
  | { readonly kind: 'malformed'; readonly faults: readonly Fault[] }
  | { readonly kind: 'unknown method' }
  | { readonly kind: 'unknown version'; readonly known: string };

/** The newest versions that Ashlar speaks: what its services rows say in rpc_current_version. */
export const RPC_VERSIONS = { 'cinder-volume': '3.18', 'cinder-scheduler': '3.12' } as const;
export type WireTopic = keyof typeof RPC_VERSIONS;

export const wireTables: Readonly<Record<WireTopic, WireTable>> = {
  'cinder-volume': volumeMethods,
  'cinder-scheduler': schedulerMethods,
};

export function findMethod(topic: WireTopic, method: string): WireMethod | undefined {
  return Object.hasOwn(wireTables[topic], method) ? wireTables[topic][method] : undefined;
}

/** `newId` makes the id of what a peer leaves to the service to name: an attachment of attach_volume. */
export function receive(
  topic: WireTopic,
  message: { readonly method: string; readonly version: unknown; readonly args: unknown },
  newId: () => string,
): Received {
  if (!understands(RPC_VERSIONS[topic], message.version)) {
    return { kind: 'unknown version', known: RPC_VERSIONS[topic] };
  }
  const method = findMethod(topic, message.method);
  if (method === undefined) return { kind: 'unknown method' };
  const decoded = decodeArguments(topic, message.method, message.args);
  const refused = (reason: string): Received => {
    const aftermath = decoded.ok ? aftermathOf(topic, message.method, decoded.value) : null;
    return { kind: 'refused', reason, aftermath };
  };
  if (method.serve.as === 'refused') return refused(method.serve.reason);
  if (!decoded.ok) return { kind: 'malformed', faults: decoded.faults };
  if (method.serve.as === 'direct') return { kind: 'direct', method: message.method, args: decoded.value };
  const make = makers(topic)[message.method as OperationMethod];
  const made = make?.(decoded.value as never, newId);
  if (made === undefined) return { kind: 'unknown method' };
  if ('refused' in made) return refused(made.refused);
  return checked(message.method as OperationMethod, made, decoded.ignored);
}

/** The arguments of a method, decoded: objects of older peers lifted, arguments that were left out at their default. */
export function decodeArguments(topic: WireTopic, method: string, args: unknown): ReturnType<typeof decodeFields> {
  const { args: specs = {}, variadic = false } = findMethod(topic, method) ?? {};
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return { ok: false, faults: [{ path: '', reason: 'the arguments are no dictionary' }] };
  }
  const given = args as Readonly<Record<string, unknown>>;
  const surplus = variadic ? [] : Object.keys(given).filter((name) => !Object.hasOwn(specs, name));
  const isOptional = (name: string) => hasDefault(specs[name]);
  const missing = Object.keys(specs).filter((name) => !Object.hasOwn(given, name) && !isOptional(name));
  const signature = [
    ...surplus.slice(0, 5).map((name) => ({ path: name.slice(0, 60), reason: 'is not among the arguments' })),
    ...missing.map((path) => ({ path, reason: 'is missing' })),
  ];
  if (signature.length > 0) return { ok: false, faults: signature };
  const decoded = decodeFields(fieldsOf(topic, method), given);
  if (!decoded.ok) return decoded;
  const nameless = Object.entries(decoded.value).flatMap(([name, value]) => findNameless(name, value));
  if (nameless.length > 0) return { ok: false, faults: nameless };
  const defaults = Object.entries(specs).flatMap(([name, spec]) =>
    hasDefault(spec) ? [[name, spec.default] as const] : [],
  );
  const value = { ...Object.fromEntries(defaults), ...(forward(decoded.value) as Record<string, unknown>) };
  return { ...decoded, value };
}

/** Fields without which an object as an argument names nothing. */
const naming: Partial<Record<ObjectName, readonly string[]>> = { Volume: ['id'], Snapshot: ['id', 'volume_id'] };

function findNameless(path: string, value: unknown): readonly Fault[] {
  if (!isObject(value)) return [];
  const fields: Readonly<Record<string, unknown>> = value.fields;
  const missing = (naming[value.name] ?? []).filter((field) => fields[field] === undefined || fields[field] === null);
  return missing.map((field) => ({ path: `${path}.${field}`, reason: 'is not set' }));
}

function isObject(value: unknown): value is VersionedObject {
  return value instanceof VersionedObject;
}

function makers(topic: WireTopic): Partial<Record<OperationMethod, MakeRequest>> {
  return topic === SCHEDULER_TOPIC ? schedulerRequests : volumeRequests;
}

function checked(
  method: OperationMethod,
  made: Exclude<MadeRequest, { readonly refused: string }>,
  ignored: readonly string[],
): Received {
  const parsed = requestArguments[method].safeParse(made.arguments);
  if (parsed.success) {
    return { kind: 'operation', request: { ...made, method, arguments: parsed.data } as WireRequest, ignored };
  }
  const faults = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), reason: message }));
  return { kind: 'malformed', faults };
}

function hasDefault(spec: unknown): spec is { readonly default: unknown } {
  return typeof spec === 'object' && spec !== null && 'default' in spec;
}

const compiled = new Map(
  Object.entries(wireTables).flatMap(([topic, table]) =>
    Object.entries(table).map(([method, { args }]) => {
      const fields = Object.entries(args).map(([name, spec]) => {
        const type = typeof spec === 'object' && 'type' in spec ? spec.type : spec;
        return [name, readField(type)] as const;
      });
      return [`${topic} ${method}`, new Map<string, Field>(fields)] as const;
    }),
  ),
);

function fieldsOf(topic: WireTopic, method: string): ReadonlyMap<string, Field> {
  return compiled.get(`${topic} ${method}`) ?? new Map();
}
