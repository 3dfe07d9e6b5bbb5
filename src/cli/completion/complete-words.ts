import { Argument, Command } from 'commander';
import { CliFailure } from '../exit-codes.ts';
import { type CliIo, print } from '../io.ts';
import { openSession } from '../session.ts';
import { analyze, type Candidate } from './analyze.ts';
import { candidateNames } from './candidate-names.ts';

/** Somebody waits at a prompt: names that are not there by then are left out. */
const NAMES_TIMEOUT_MS = 1_500;

/**
 * The hidden `__complete -- WORDS`: what may stand in place of the last word, a line each, `word<TAB>description`. The
 * shells' scripts call it; it never fails and never speaks on stderr.
 */
export function completeWords(io: CliIo, program: Command): Command {
  return new Command('__complete')
    .addArgument(new Argument('[words...]'))
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const wanted = analyze(program, words);
      const last = words.at(-1) ?? '';
      const names = wanted.names === null ? [] : await readNames(io, program, wanted.names, wanted.globals);
      const fitting = [...wanted.candidates, ...names].filter(({ word }) => word.startsWith(last));
      await print(io, fitting.map(({ word, description }) => `${word}\t${description}\n`).join(''));
    });
}

async function readNames(
  io: CliIo,
  program: Command,
  kind: string,
  globals: Readonly<Record<string, string>>,
): Promise<readonly Candidate[]> {
  for (const [option, value] of Object.entries(globals)) program.setOptionValue(option, value);
  try {
    return await candidateNames(await openSession(io, program, NAMES_TIMEOUT_MS), kind);
  } catch (error) {
    if (error instanceof CliFailure) return [];
    throw error;
  }
}
