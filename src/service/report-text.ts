/** A state report for people. Pure. */
import type { FlightReport } from '../rpcapi/inquiry.ts';
import type { StateReport } from './report.ts';

/** The report as text; it names every part of the JSON. */
export function renderStateReport(report: StateReport): string {
  const { last_stall: stall, ...delays } = report.event_loop;
  return [
    `Ashlar ${report.version} state report, ${report.made_at}`,
    section('Process', [
      `role: ${report.role}`,
      `pid: ${report.pid}, Node ${report.node_version}, up for ${report.uptime} s`,
      `memory: ${Object.entries(report.memory)
        .map(([name, bytes]) => `${name.replace('_bytes', '')} ${(bytes / 2 ** 20).toFixed(1)} MiB`)
        .join(', ')}`,
      `event loop: ${Object.entries(delays)
        .map(([name, ms]) => `${name.replace('_ms', '').replaceAll('_', ' ')} ${ms} ms`)
        .join(', ')}`,
      stall === null
        ? 'event loop: no stall of a second or more was seen'
        : `event loop: stood still for ${stall.seconds} s until ${stall.ended_ago} s ago`,
      `log: level ${report.log_level}, ${report.log_writes_failed} writes failed`,
    ]),
    section(
      `Operations in flight: ${report.operations.length}`,
      report.operations.flatMap((operation) => [
        `${operation.operation} ${operation.method} of ${operation.resource_id ?? '?'} at ${operation.service}`,
        ...describeFlight(operation).map((line) => `  ${line}`),
      ]),
    ),
    section('Services', named(report.services)),
    section('Connections', named(report.connections)),
    section('Queues', named(report.queues)),
    section('Locks', named(report.locks)),
    section(
      'Recent warnings and errors, newest first',
      report.recent_problems.map(
        ({ at, level, message, fields }) => `${at} ${level} ${message} ${JSON.stringify(fields)}`,
      ),
    ),
    section(
      'Configuration',
      Object.entries(report.config).map(
        ([name, { value, from }]) => `${name} = ${typeof value === 'string' ? value : JSON.stringify(value)} (${from})`,
      ),
    ),
    '',
  ].join('\n');
}

/** What an operation is doing, in lines. */
export function describeFlight(flight: FlightReport): readonly string[] {
  const { waits_for: wait, last_command: command } = flight;
  return [
    `${flight.request_id ?? 'no request id'}, begun ${flight.age} s ago`,
    ...(wait === null
      ? [`step: ${flight.step}, for ${flight.step_age} s`]
      : [`waits for the lock ${wait.lock} for ${wait.waited} s, ${describeHolder(wait.holder)}`]),
    ...(flight.locks.length === 0 ? [] : [`holds the locks ${flight.locks.join(', ')}`]),
    ...(command === null ? [] : [`last command: ${describeCommand(command)}`]),
  ];
}

export function describeHolder(holder: NonNullable<FlightReport['waits_for']>['holder']): string {
  if (holder === null) return 'which is being handed on';
  const who = holder.operation === null ? 'the service itself' : `${holder.method} (operation ${holder.operation}`;
  const request = holder.operation === null ? '' : `, ${holder.request_id ?? 'no request id'})`;
  return `held by ${who}${request} for ${holder.held} s${holder.step === null ? '' : `, which is at: ${holder.step}`}`;
}

export function describeCommand(command: NonNullable<FlightReport['last_command']>): string {
  if (command.state === 'waiting') return `'${command.command}' waits for a place among the commands that run`;
  if (command.state === 'running') {
    return `'${command.command}' running for ${command.age} s (killed at ${command.deadline} s)`;
  }
  const how = command.stopped === null ? `exit code ${command.exit_code}` : command.stopped;
  return `'${command.command}' ended with ${how} ${command.age} s ago`;
}

function section(title: string, lines: readonly string[]): string {
  return `\n${title}\n${'-'.repeat(title.length)}\n${lines.length === 0 ? 'none' : lines.join('\n')}`;
}

function named(parts: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(parts).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
}
