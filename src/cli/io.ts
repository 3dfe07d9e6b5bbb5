import type { Readable, Writable } from 'node:stream';
import { escapeControls } from './render/text.ts';

/** All that a command may know of the process around it. Nothing below src/cmd reads argv, env or the terminal. */
export interface CliIo {
  /** The words after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** Results, and nothing else. */
  readonly stdout: Writable;
  /** Errors and progress. */
  readonly stderr: Writable;
  /** True when stderr is a terminal: progress is shown there. */
  readonly isTty: boolean;
  /** Width of the terminal that stdout is; undefined when stdout is none, and then tables are as wide as they need. */
  readonly columns?: number | undefined;
  /** Where a node of this machine may keep its state, best guess first: looked through when no state directory is named. */
  readonly stateDirs: readonly string[];
  /** The program's version, for `ashlar version`. */
  readonly version?: string;
}

/** The width to fit to; undefined where nothing is known of it (a terminal may say 0). */
export function widthOf({ columns }: CliIo): number | undefined {
  return columns === 0 ? undefined : columns;
}

/** Writes to stdout and returns when the text is handed over. A reader that went away (a broken pipe) is no error. */
export function print(io: CliIo, text: string): Promise<void> {
  return new Promise((resolve) => io.stdout.write(text, () => resolve()));
}

/** One line on stderr. Control characters are escaped: much of such a line comes from names and from the far side. */
export function warn(io: CliIo, message: string): void {
  io.stderr.write(`ashlar: ${escapeControls(message)}\n`);
}
