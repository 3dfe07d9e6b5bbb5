/** Flights as reports show them. Pure, but for the clock. */
import type { LockDescription } from '../coordination/keyed-lock.ts';
import type { CommandNote, Flight, LockHolder } from '../lib/flight.ts';
import type { FlightReport } from '../rpcapi/inquiry.ts';

export function reportFlight(flight: Flight, nowMs = Date.now()): FlightReport {
  const { waitsFor, command } = flight;
  return {
    operation: flight.id,
    service: flight.service,
    method: flight.method,
    resource_id: flight.resourceId,
    request_id: flight.requestId,
    age: seconds(flight.startedAtMs, nowMs),
    step: flight.step,
    step_age: seconds(flight.stepSinceMs, nowMs),
    locks: flight.locks,
    waits_for:
      waitsFor === null
        ? null
        : {
            lock: waitsFor.lock,
            waited: seconds(waitsFor.sinceMs, nowMs),
            holder: reportHolder(waitsFor.holder(), nowMs),
          },
    last_command: command === null ? null : reportCommand(command, nowMs),
  };
}

export function reportLock({ lock, holder, waiters }: LockDescription, nowMs = Date.now()) {
  return {
    lock,
    holder: reportHolder(holder, nowMs),
    waiters: waiters.map(({ flight, sinceMs }) => ({ operation: flight?.id ?? null, waited: seconds(sinceMs, nowMs) })),
  };
}

function reportHolder(holder: LockHolder | null, nowMs: number) {
  if (holder === null) return null;
  const { flight, sinceMs } = holder;
  return {
    operation: flight?.id ?? null,
    method: flight?.method ?? null,
    request_id: flight?.requestId ?? null,
    step: flight?.step ?? null,
    held: seconds(sinceMs, nowMs),
  };
}

function reportCommand(note: CommandNote, nowMs: number): NonNullable<FlightReport['last_command']> {
  const { startedAtMs, endedAtMs } = note;
  const sinceMs = endedAtMs ?? startedAtMs;
  return {
    command: note.command,
    state: startedAtMs === null ? 'waiting' : endedAtMs === null ? 'running' : 'ended',
    age: sinceMs === null ? null : seconds(sinceMs, nowMs),
    deadline: note.timeoutMs / 1000,
    exit_code: note.exitCode,
    stopped: note.stopped,
  };
}

function seconds(sinceMs: number, nowMs: number): number {
  return Math.round(Math.max(0, nowMs - sinceMs) / 100) / 10;
}
