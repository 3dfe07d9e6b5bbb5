import { type Command, InvalidArgumentError, Option } from 'commander';

/** Readers of option values. What they throw ends the command with exit code 2, before anything is sent. */

/** A whole number of GiB, 1 or more. */
export function wholeGib(text: string): number {
  const gib = Number(text);
  if (/^\d+$/.test(text) && gib >= 1 && Number.isSafeInteger(gib)) return gib;
  throw new InvalidArgumentError('A size is a whole number of GiB, 1 or more.');
}

/** A whole number, 1 or more. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number, 1 or more.');
}

/** Seconds, fractions allowed, above 0 and within what a timer can do. */
export function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('Expected a number of seconds above 0.');
}

/** `key=value`, collected over several options; the value may hold further equals signs, or nothing. */
export function keyValue(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects the values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export interface WaitOptions {
  readonly wait: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** Adds --no-wait and --timeout to a command that starts work. */
export function withWait(command: Command): Command {
  return command
    .option('--no-wait', 'return as soon as the request is taken')
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for the work to end').argParser(seconds).default(300),
    );
}

export interface ListOptions {
  readonly limit?: number;
  readonly marker?: string;
  readonly allProjects?: true;
  readonly long?: true;
}

/** Adds --limit, --marker and --long to a command that lists. */
export function withPaging(command: Command): Command {
  return command
    .option('--limit <count>', 'list this many at the most', wholeNumber)
    .option('--marker <name-or-id>', 'list what comes after this one')
    .option('--long', 'more columns');
}
