import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What may stand in place of the last word. Not filtered by what is typed of it already. */
export interface Wanted {
  readonly candidates: readonly Candidate[];
  /** Of which kind of resource a name may stand there: volume, snapshot, type, attachment; null for none. */
  readonly names: string | null;
  /** Values of the program's own options so far, by attribute name: where to ask for names. */
  readonly globals: Readonly<Record<string, string>>;
}

/** Options whose value is the name of a resource. */
const optionNames: Readonly<Record<string, string>> = {
  '--snapshot': 'snapshot',
  '--source': 'volume',
  '--volume': 'volume',
  '--resource': 'volume',
  '--type': 'type',
};

/** Walks the words as the parser would. `words` are those after the program's name; the last one is being typed. Pure. */
export function analyze(program: Command, words: readonly string[]): Wanted {
  const globals: Record<string, string> = {};
  let command = program;
  let operands = 0;
  let pending: Option | undefined;
  let onlyOperands = false;
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined) {
      if (program.options.includes(pending)) globals[pending.attributeName()] = word;
      pending = undefined;
    } else if (word === '--') {
      onlyOperands = true;
    } else if (word.startsWith('-') && !onlyOperands) {
      const [flag = '', value] = splitOption(word);
      const option = findOption(program, command, flag);
      if (option !== undefined && value === undefined && option.required) pending = option;
      if (option !== undefined && value !== undefined && program.options.includes(option)) {
        globals[option.attributeName()] = value;
      }
    } else {
      const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
      if (child === undefined) operands++;
      else command = child;
    }
  }
  const last = words.at(-1) ?? '';
  if (pending !== undefined) return { ...valuesOf(pending), globals };
  if (last.startsWith('-') && !onlyOperands) return { candidates: optionsOf(program, command), names: null, globals };
  return { ...operandsOf(command, operands), globals };
}

function splitOption(word: string): readonly [flag: string, value?: string] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at !== -1 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}

function findOption(program: Command, command: Command, flag: string): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => long === flag || short === flag);
}

function valuesOf(option: Option): Omit<Wanted, 'globals'> {
  const candidates = (option.argChoices ?? []).map((word) => ({ word, description: '' }));
  return { candidates, names: optionNames[option.long ?? ''] ?? null };
}

function optionsOf(program: Command, command: Command): Candidate[] {
  const options = new Set([...command.options, ...program.options]);
  const help = { word: '--help', description: 'show how to use it' };
  return [
    ...[...options]
      .filter(({ hidden }) => !hidden)
      .map(({ long, short, description }) => ({ word: long ?? short ?? '', description })),
    help,
  ];
}

function operandsOf(command: Command, operands: number): Omit<Wanted, 'globals'> {
  const children = command.createHelp().visibleCommands(command);
  if (children.length > 0 && operands === 0) {
    const candidates = children.map((child) => ({ word: child.name(), description: child.description() }));
    return { candidates, names: null };
  }
  const at = command.registeredArguments;
  const argument: Argument | undefined = at[operands] ?? (at.at(-1)?.variadic ? at.at(-1) : undefined);
  if (argument === undefined) return { candidates: [], names: null };
  const candidates = (argument.argChoices ?? []).map((word) => ({ word, description: '' }));
  return { candidates, names: argument.name().replace(/s$/, '') };
}
