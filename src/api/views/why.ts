/** From evidence to sentences: why a resource is as it is. Pure. */
import type { Operation } from '../../model/operation.ts';
import { isServiceUp } from '../../model/service.ts';
import type { FlightReport } from '../../rpcapi/inquiry.ts';
import { SCHEDULER_TOPIC, VOLUME_TOPIC } from '../../rpcapi/requests.ts';
import { describeCommand, describeFlight, describeHolder } from '../../service/report-text.ts';
import type { Evidence, ServiceEvidence } from '../requests/gather-evidence.ts';

/** A stall that ended longer ago than this explains nothing any more. */
const STALL_COUNTS_SECONDS = 30;

/** The causes, the most telling first; never empty. */
export function causesOf(evidence: Evidence): readonly string[] {
  const { databaseAway, subject, operations, refusals, asked } = evidence;
  if (databaseAway !== null) {
    return [
      `the database does not answer: ${databaseAway} Nothing is begun or ended until it does; what is recorded goes on by itself then`,
      ...evidence.localFlights.map((flight) => `${flight.method}: ${causeOfFlight(flight)}`),
    ];
  }
  const unfinished = operations.filter(({ finishedAt }) => finishedAt === null).toReversed();
  if (unfinished.length > 0)
    return [...new Set(unfinished.flatMap((operation) => causesOfOperation(evidence, operation)))];
  const [last] = operations;
  // A request whose operation failed says that operation's failure again.
  const [refusal] = refusals.filter(({ request_id: id }) => id !== last?.requestId);
  if (refusal !== undefined && (last?.finishedAt == null || Date.parse(refusal.at) > last.finishedAt.getTime())) {
    const { request, code, reason, at, request_id } = refusal;
    return [`the request ${request} was refused at ${at} (${request_id}): ${code}: ${reason}`];
  }
  if (last?.state === 'failed') {
    return [`${named(last)} failed at ${last.finishedAt?.toISOString()}: ${last.errorCode}: ${last.error}`];
  }
  if (subject !== null) return [`nothing: no operation is under way, its status is ${subject.status}`];
  const quota =
    evidence.exhausted.length === 0 ? '' : `; the project's quota is used up (${evidence.exhausted.join(', ')})`;
  return [`there is no volume, snapshot, attachment or operation '${asked}', and no refused request is known${quota}`];
}

function causesOfOperation(evidence: Evidence, operation: Operation): readonly string[] {
  const owners = evidence.services.filter(({ binary, host }) =>
    operation.owner === SCHEDULER_TOPIC
      ? binary === SCHEDULER_TOPIC
      : binary === VOLUME_TOPIC && host === operation.owner,
  );
  const what = named(operation);
  const away = brokersAwayOf(evidence, owners);
  if (owners.length === 0) return [`${what} waits for ${operation.owner}, of which there is no service; start one`];
  const flying = owners.find((owner) => flightOf(owner, operation) !== undefined);
  if (flying !== undefined) {
    const flight = flightOf(flying, operation)!;
    return [...stallOf(flying), `${what}: ${causeOfFlight(flight)}`];
  }
  // A backend that is down does not wait for messages.
  const isDown = owners.some(({ heard }) => 'answer' in heard && heard.answer.status.backend === 'down');
  if (away.length > 0 && !isDown) return away.map((broker) => `${what} waits for a message: the ${broker}; ${FOUND}`);
  return owners.map((owner) => `${what} ${causeAtOwner(evidence, owner, operation)}`);
}

const FOUND =
  'its owner finds it in the record within 40 s all the same, and what goes on to another when the broker is back';

/** Brokers that the API, or an owner that answered, cannot reach. */
function brokersAwayOf({ brokersAway }: Evidence, owners: readonly ServiceEvidence[]): readonly string[] {
  const theirs = owners.flatMap(({ heard }) => ('answer' in heard ? heard.answer.brokers_away : []));
  return [...new Set([...brokersAway, ...theirs])];
}

/** Why an owner that has it does not work on it. */
function causeAtOwner(evidence: Evidence, owner: ServiceEvidence, operation: Operation): string {
  const name = `${owner.binary} ${owner.host}`;
  if ('silence' in owner.heard) return `waits for ${name}, ${causeOfSilence(evidence, owner)}`;
  const { status, event_loop: loop } = owner.heard.answer;
  if (status.backend === 'down') {
    const next =
      status.next_attempt_at == null
        ? ''
        : `; ${status.attempts} attempts, the next retry is at ${status.next_attempt_at}`;
    return `waits for the backend ${owner.host}, which is down since ${status.since}: ${status.reason}${next}`;
  }
  if (loop.last_stall !== null && loop.last_stall.ended_ago < STALL_COUNTS_SECONDS) {
    return `waits for ${name}: ${stallOf(owner).join('')}`;
  }
  if (status.cut_off?.includes(operation.id) === true) {
    return `was cut off at ${name} because the database was away; the next look, every 10 s, takes it up again`;
  }
  if (operation.state === 'queued') {
    return `waits to be taken up by ${name}, which answers: its wake-up is under way or was lost; it is found in the record within 40 s`;
  }
  return `is recorded as running at ${name} (attempt ${operation.attempt}), which answers and does not work on it: it has just ended, or another process of that name has it`;
}

function causeOfSilence(evidence: Evidence, { row, heard, binary, host }: ServiceEvidence): string {
  const silence = 'silence' in heard ? heard : { silence: '', code: '' };
  if (silence.code === 'ConnectionFailed') {
    return `and the broker cannot be reached: ${silence.silence} It finds what is recorded by itself when the broker is back, or within 40 s`;
  }
  if (row === null) return 'which is not in the list of services; start it';
  const age = Math.round(row.heartbeatAgeSeconds);
  if (!isServiceUp(row, evidence.serviceDownTimeSeconds)) {
    return `which is down: its last heartbeat is ${age} s old and it does not answer. Start it; what is recorded goes on then. This is from the record alone`;
  }
  return `which does not answer (${silence.silence}) though its last heartbeat is ${age} s old: the process of ${binary} ${host} hangs (stopped, or its event loop is blocked), has just ended, or messages do not reach it. This is from the record alone`;
}

function stallOf({ heard, binary, host }: ServiceEvidence): readonly string[] {
  if (!('answer' in heard)) return [];
  const { last_stall: stall } = heard.answer.event_loop;
  if (stall === null || stall.ended_ago >= STALL_COUNTS_SECONDS) return [];
  return [
    `the event loop of ${binary} ${host} (pid ${heard.answer.pid}) is blocked again and again: it stood still for ${stall.seconds} s until ${stall.ended_ago} s ago`,
  ];
}

function causeOfFlight(flight: FlightReport): string {
  const { waits_for: wait, last_command: command } = flight;
  if (wait !== null) return `waits for the lock ${wait.lock} for ${wait.waited} s, ${describeHolder(wait.holder)}`;
  const step = `at the step ${flight.step} for ${flight.step_age} s`;
  if (command === null) return step;
  return `${step}; its last command: ${describeCommand(command)}`;
}

function flightOf({ heard }: ServiceEvidence, operation: Operation): FlightReport | undefined {
  return 'answer' in heard ? heard.answer.operations.find((flight) => flight.operation === operation.id) : undefined;
}

function named({ method, requestId }: Operation): string {
  return `${method} (${requestId})`;
}

/** The answer of GET /ashlar/why/…: as JSON, and the same as lines of text. */
export function whyView(evidence: Evidence) {
  const { subject } = evidence;
  const causes = causesOf(evidence);
  const operations = evidence.operations.map((operation) => operationView(evidence, operation));
  const services = evidence.services.map((service) => serviceView(evidence, service));
  const fromRecordOnly = services.some(({ live }) => !live);
  return {
    asked: evidence.asked,
    subject:
      subject === null
        ? null
        : {
            type: subject.type,
            id: subject.id,
            name: subject.name,
            status: subject.status,
            volume_id: subject.volumeId,
            host: subject.host,
            project_id: subject.projectId,
          },
    causes,
    database: evidence.databaseAway ?? 'answers',
    brokers_away: evidence.brokersAway,
    from_record_only: fromRecordOnly,
    services,
    operations,
    refused_requests: evidence.refusals,
    quota_used_up: evidence.exhausted,
  };
}

export type WhyView = ReturnType<typeof whyView>;

function operationView(evidence: Evidence, operation: Operation) {
  const live = evidence.services.map((service) => flightOf(service, operation)).find((flight) => flight !== undefined);
  return {
    id: operation.id,
    method: operation.method,
    resource_type: operation.resourceType,
    resource_id: operation.resourceId,
    request_id: operation.requestId,
    state: operation.state,
    attempt: operation.attempt,
    owner: operation.owner,
    error_code: operation.errorCode,
    error: operation.error,
    created_at: operation.createdAt.toISOString(),
    started_at: operation.startedAt?.toISOString() ?? null,
    finished_at: operation.finishedAt?.toISOString() ?? null,
    live: live ?? null,
  };
}

function serviceView({ serviceDownTimeSeconds }: Evidence, { binary, host, row, heard }: ServiceEvidence) {
  return {
    binary,
    host,
    state: row === null ? 'not known' : isServiceUp(row, serviceDownTimeSeconds) ? 'up' : 'down',
    heartbeat_age: row === null ? null : Math.round(row.heartbeatAgeSeconds * 10) / 10,
    disabled_reason: row?.disabled === true ? (row.disabledReason ?? 'no reason given') : null,
    live: 'answer' in heard,
    silence: 'answer' in heard ? null : heard.silence,
    pid: 'answer' in heard ? heard.answer.pid : null,
    backend: 'answer' in heard ? (heard.answer.status.backend ?? null) : null,
    down_reason: 'answer' in heard ? (heard.answer.status.reason ?? null) : null,
    next_attempt_at: 'answer' in heard ? (heard.answer.status.next_attempt_at ?? null) : null,
    event_loop: 'answer' in heard ? heard.answer.event_loop : null,
  };
}

/** The view as lines for people. */
export function whyText(view: WhyView): readonly string[] {
  const { subject } = view;
  return [
    subject === null
      ? `${view.asked}: not found`
      : `${subject.type} ${subject.id}${subject.name === null ? '' : ` '${subject.name}'`}: ${subject.status}${subject.host === null ? '' : `, at ${subject.host}`}`,
    ...view.causes.map((cause) => `Cause: ${cause}.`),
    ...view.services.map(
      ({ binary, host, state, heartbeat_age, live, silence, backend, down_reason, disabled_reason }) =>
        `Service ${binary} ${host}: ${state}, heartbeat ${heartbeat_age ?? '?'} s old, ${live ? 'answers' : `silent: ${silence}`}` +
        `${backend === null ? '' : `, backend ${backend}${down_reason === null ? '' : `: ${down_reason}`}`}` +
        `${disabled_reason === null ? '' : `, disabled: ${disabled_reason}`}`,
    ),
    ...(view.operations.length === 0 ? [] : ['History, newest first:']),
    ...view.operations.flatMap((operation) => [
      `  ${operation.created_at} ${operation.method} ${operation.state}${operation.attempt > 1 ? `, attempt ${operation.attempt}` : ''}` +
        `, ${operation.request_id}, operation ${operation.id}` +
        `${operation.resource_id === subject?.id ? '' : `, of ${operation.resource_type} ${operation.resource_id}`}` +
        `${operation.error === null ? '' : `: ${operation.error_code}: ${operation.error}`}`,
      ...(operation.live === null ? [] : describeFlight(operation.live).map((line) => `    ${line}`)),
    ]),
    ...view.refused_requests.map(
      ({ at, request, request_id, code, reason }) => `Refused: ${at} ${request} ${request_id}: ${code}: ${reason}`,
    ),
    ...view.quota_used_up.map((figure) => `Quota used up: ${figure}`),
  ];
}
