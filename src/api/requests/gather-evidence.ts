/** Gathers all that is known of why a resource is as it is: the record, the services' own word, refused requests. */
import { isDatabaseAway } from '../../db/errors.ts';
import type { Store } from '../../db/store.ts';
import { flights } from '../../lib/flight.ts';
import { withTimeout } from '../../lib/timers.ts';
import { serviceHost } from '../../model/backend.ts';
import type { RequestContext } from '../../model/context.ts';
import { failure, messageOf } from '../../model/errors.ts';
import type { Operation } from '../../model/operation.ts';
import type { Service } from '../../model/service.ts';
import { type FlightReport, type InquiryRpc, inquiryServer, type ServiceAnswer } from '../../rpcapi/inquiry.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { reportFlight } from '../../service/flight-report.ts';
import { brokersAway, localActivity } from '../../service/inquiries.ts';
import type { ApiOptions } from '../options.ts';
import { readFigures } from '../quota-figures.ts';
import { type Refusal, refusalsAbout } from '../refusals.ts';

export interface Subject {
  readonly type: 'volume' | 'snapshot' | 'attachment';
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  /** The volume itself, or the one that it belongs to. */
  readonly volumeId: string;
  /** `host@backend#pool` of that volume. */
  readonly host: string | null;
  readonly projectId: string | null;
}

export interface ServiceEvidence {
  readonly binary: string;
  readonly host: string;
  /** Null where the services table does not know it. */
  readonly row: Service | null;
  /** What it says itself, or why nothing was heard. */
  readonly heard: { readonly answer: ServiceAnswer } | { readonly silence: string; readonly code: string };
}

export interface Evidence {
  readonly asked: string;
  readonly subject: Subject | null;
  /** Why the record could not be read; all else is then what this process alone knows. */
  readonly databaseAway: string | null;
  /** Brokers that the API cannot reach, and why. */
  readonly brokersAway: readonly string[];
  /** Newest first; those of a volume with those of its snapshots and attachments. */
  readonly operations: readonly Operation[];
  readonly services: readonly ServiceEvidence[];
  /** Flights of this process, where the record could not be read. */
  readonly localFlights: readonly FlightReport[];
  readonly refusals: readonly Refusal[];
  /** What of the project's quota is used up: `volumes: 10 of 10`. */
  readonly exhausted: readonly string[];
  readonly serviceDownTimeSeconds: number;
}

interface Parts {
  readonly store: Store;
  readonly inquiry: InquiryRpc;
  readonly options: ApiOptions;
}

/** How long a service may take to say what it does. */
const ANSWER_LIMIT_MS = 2000;
/** How long the record may take; a database that is silent is away. */
const RECORD_LIMIT_MS = 5000;
const HISTORY = 50;
const MOST_SERVICES = 20;

/** Throws InvalidInput for a name that several have. */
export async function gatherEvidence(parts: Parts, context: RequestContext, asked: string): Promise<Evidence> {
  const { options } = parts;
  const base = { asked, serviceDownTimeSeconds: options.service_down_time, brokersAway: brokersAway() };
  try {
    const late = () => failure('ConnectionFailed', { what: 'Database', reason: `no answer in ${RECORD_LIMIT_MS} ms.` });
    const record = await withTimeout(readRecord(parts, context, asked), RECORD_LIMIT_MS, late);
    const { subject, operations, rows } = record;
    const ids = [...new Set([...(subject === null ? [] : [subject.id]), ...operations.map((each) => each.resourceId)])];
    const wanted = servicesOf(subject, operations, rows).slice(0, MOST_SERVICES);
    const services = await Promise.all(wanted.map((service) => hear(parts, context, service, ids)));
    const refusals = refusalsAbout([asked, ...(subject === null ? [] : [subject.id])]);
    return { ...base, ...record, databaseAway: null, services, localFlights: [], refusals };
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    return {
      ...base,
      subject: null,
      databaseAway: messageOf(error),
      operations: [],
      services: [],
      localFlights: flights()
        .filter(({ resourceId }) => resourceId === asked)
        .map((flight) => reportFlight(flight)),
      refusals: refusalsAbout([asked]),
      exhausted: [],
    };
  }
}

async function readRecord({ store, options }: Parts, context: RequestContext, asked: string) {
  const subject = await findSubject(store, context, asked);
  const operations = subject === null ? [] : await historyOf(store, subject);
  const rows = await store.services.list({});
  const figures = await readFigures(store, options, subject?.projectId ?? context.projectId ?? '');
  const exhausted = Object.entries(figures)
    .filter(([, { limit, inUse }]) => limit > 0 && inUse >= limit)
    .map(([name, { limit, inUse }]) => `${name}: ${inUse} of ${limit}`);
  return { subject, operations, rows, exhausted };
}

function historyOf(store: Store, { type, id }: Subject): Promise<Operation[]> {
  return type === 'volume' ? store.operations.historyOfVolume(id, HISTORY) : store.operations.history(id, HISTORY);
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** By id, deleted ones too; else by name: the caller's project first, then all. */
async function findSubject(store: Store, context: RequestContext, asked: string): Promise<Subject | null> {
  if (UUID.test(asked)) {
    const byId = await subjectOfId(store, asked.toLowerCase());
    if (byId !== null) return byId;
  }
  for (const projectId of [context.projectId, null]) {
    const query = { projectId, filters: { name: asked }, limit: 3 };
    const volumes = (await store.volumes.list(query)).map(({ id }) => id);
    const snapshots = (await store.snapshots.list(query)).map(({ id }) => id);
    const [first, ...more] = [...volumes, ...snapshots];
    if (more.length > 0) {
      const ids = [first, ...more].join(', ');
      throw failure('InvalidInput', { reason: `several have the name '${asked}': ${ids}. Give the id of one.` });
    }
    if (first !== undefined) return await subjectOfId(store, first);
  }
  return null;
}

async function subjectOfId(store: Store, id: string): Promise<Subject | null> {
  const volume = await store.volumes.get(id, { deleted: true });
  if (volume !== null) return { ...volume, type: 'volume', name: volume.displayName, volumeId: id };
  const snapshot = await store.snapshots.get(id, { deleted: true });
  const attachment = snapshot === null ? await store.attachments.get(id) : null;
  const volumeId = snapshot?.volumeId ?? attachment?.volumeId;
  if (volumeId === undefined) return await subjectOfRecord(store, id);
  const of = await store.volumes.get(volumeId, { deleted: true });
  const shared = { id, volumeId, host: of?.host ?? null };
  if (snapshot !== null) return { ...snapshot, ...shared, type: 'snapshot', name: snapshot.displayName };
  return {
    ...shared,
    type: 'attachment',
    name: null,
    status: attachment!.attachStatus,
    projectId: of?.projectId ?? null,
  };
}

/** An operation's own id, or something that is gone and of which only records are left. */
async function subjectOfRecord(store: Store, id: string): Promise<Subject | null> {
  const operation = await store.operations.get(id);
  if (operation !== null && operation.resourceId !== id) return await subjectOfId(store, operation.resourceId);
  const [last] = await store.operations.history(id, 1);
  if (last === undefined) return null;
  const { volumeId } = last.arguments;
  return {
    type: last.resourceType,
    id,
    name: null,
    status: 'gone',
    volumeId: typeof volumeId === 'string' ? volumeId : id,
    host: null,
    projectId: last.projectId,
  };
}

/** The owners of what is unfinished, and the volume service that the volume is at. */
function servicesOf(subject: Subject | null, operations: readonly Operation[], rows: readonly Service[]) {
  const unfinished = operations.filter(({ finishedAt }) => finishedAt === null);
  const hosts = new Set(unfinished.map(({ owner }) => owner).filter((owner) => owner !== SCHEDULER_TOPIC));
  if (subject !== null && subject.host !== null) hosts.add(serviceHost(subject.host));
  const schedulers = unfinished.some(({ owner }) => owner === SCHEDULER_TOPIC)
    ? rows.filter(({ binary }) => binary === SCHEDULER_TOPIC)
    : [];
  return [
    ...[...hosts].map((host) => ({
      binary: VOLUME_TOPIC,
      host,
      row: rows.find((row) => row.binary === VOLUME_TOPIC && row.host === host) ?? null,
    })),
    ...schedulers.map((row) => ({ binary: SCHEDULER_TOPIC, host: row.host, row })),
  ];
}

async function hear(
  { inquiry }: Parts,
  context: RequestContext,
  service: Omit<ServiceEvidence, 'heard'>,
  ids: readonly string[],
): Promise<ServiceEvidence> {
  const server = inquiryServer(service.binary, service.host);
  try {
    const answer =
      localActivity(server, ids) ?? (await inquiry.activity(context, server, ids, { timeoutMs: ANSWER_LIMIT_MS }));
    return { ...service, heard: { answer } };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    return { ...service, heard: { silence: messageOf(error), code: typeof code === 'string' ? code : 'Internal' } };
  }
}
