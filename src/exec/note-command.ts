/** What the flight data and the metrics are told of every command. */
import { basename } from 'node:path';
import type { Command } from '../driver/executor.ts';
import { type CommandNote, currentFlight } from '../lib/flight.ts';
import { measure } from '../lib/measure.ts';
import { maskArguments } from './mask.ts';
import type { Ended } from './outcome.ts';

export interface NotedCommand {
  /** It has its place and runs from now on. */
  started(): void;
  ended(ended: Ended): void;
}

/** Notes a command that waits for its place; it is the last command of the caller's flight from now on. */
export function noteCommand(command: Command): NotedCommand {
  const flight = currentFlight();
  const note: CommandNote = {
    command: maskArguments(command.argv).join(' '),
    timeoutMs: command.timeoutMs,
    startedAtMs: null,
    endedAtMs: null,
    exitCode: null,
    stopped: null,
  };
  if (flight !== undefined) flight.command = note;
  return {
    started() {
      note.startedAtMs = Date.now();
    },
    ended({ result, stop }) {
      note.endedAtMs = Date.now();
      note.exitCode = stop === null ? result.exitCode : null;
      note.stopped = stop;
      measure({
        what: 'command',
        program: basename(command.argv[0]),
        outcome: stop ?? 'exit',
        exitCode: note.exitCode,
        durationMs: result.durationMs,
      });
    },
  };
}
