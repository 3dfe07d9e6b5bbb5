import { type Command, Option } from 'commander';
import { collect } from './arguments.ts';
import { CliFailure, EXIT } from './exit-codes.ts';
import { type CliIo, print, widthOf } from './io.ts';
import { type Column, FORMATS, type Format, renderList, renderRecord } from './render/record.ts';

export interface OutputOptions {
  readonly format: Format;
  readonly column?: readonly string[];
}

/** Adds -f and -c to a command that prints. */
export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('-f, --format <format>', 'how to print the result').choices(FORMATS).default('table'))
    .option('-c, --column <column>', 'print this column or field only; may be given several times', collect);
}

/**
 * Prints a list. `shown` are the keys of the columns that stand there without -c; -c may ask for any column. The columns
 * are chosen before `load` asks the API: a misspelt one costs no request.
 */
export async function printList<T>(
  io: CliIo,
  options: OutputOptions,
  { columns, shown }: { readonly columns: readonly Column<T>[]; readonly shown?: readonly string[] },
  load: () => Promise<readonly T[]>,
): Promise<void> {
  const chosen =
    options.column === undefined
      ? columns.filter(({ key }) => shown?.includes(key) ?? true)
      : options.column.map((name) => findColumn(columns, name));
  await print(io, renderList(await load(), chosen, options.format, widthOf(io)));
}

/**
 * Refuses a -c that names no field, before a command that changes something sends its request. `fields` are the
 * resource's fields as far as they are known beforehand.
 */
export function checkFields(options: OutputOptions, fields: readonly string[]): void {
  for (const name of options.column ?? []) if (!isKnown(fields, name)) throw unknownField(name, fields);
}

/**
 * Prints one resource, its fields in alphabetical order; its links only where -c asks for them. -c may reach into an
 * object: `-c connection_info.target_iqn`. A field of `known` that the answer lacks is null.
 */
export async function printRecord(
  io: CliIo,
  options: OutputOptions,
  record: object,
  known: readonly string[] = [],
): Promise<void> {
  const fields =
    options.column === undefined
      ? Object.entries(record)
          .filter(([key]) => key !== 'links')
          .sort(([left], [right]) => (left < right ? -1 : 1))
      : options.column.map((name) => [name, findField(record, name, known)] as const);
  await print(io, renderRecord(fields, options.format, widthOf(io)));
}

function findColumn<T>(columns: readonly Column<T>[], name: string): Column<T> {
  const wanted = plain(name);
  const found = columns.find(({ key, label }) => plain(key) === wanted || plain(label) === wanted);
  if (found !== undefined) return found;
  throw new CliFailure(
    EXIT.usage,
    `There is no column '${name}'. Columns: ${columns.map(({ key }) => key).join(', ')}.`,
  );
}

function findField(record: object, name: string, known: readonly string[]): unknown {
  let value: unknown = record;
  const whole = fieldOf(record, name);
  if (whole !== undefined) return whole;
  for (const part of name.split('.')) value = fieldOf(value, part);
  if (value !== undefined) return value;
  if (isKnown(known, name)) return null;
  throw unknownField(name, [...new Set([...known, ...Object.keys(record)])]);
}

/** A field of the list, or a path that begins with one. */
function isKnown(fields: readonly string[], name: string): boolean {
  return fields.some((field) => plain(field) === plain(name) || plain(name).startsWith(`${plain(field)}.`));
}

function unknownField(name: string, fields: readonly string[]): CliFailure {
  return new CliFailure(EXIT.usage, `There is no field '${name}'. Fields: ${fields.toSorted().join(', ')}.`);
}

function fieldOf(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  return Object.entries(value).find(([key]) => plain(key) === plain(name))?.[1];
}

/** `Volume Type`, `volume-type` and `volume_type` name the same column. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[ _-]/g, '_');
}
