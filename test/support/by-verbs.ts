/** An executor like that of a service without rights: the helper's verbs and the project's filters, in this process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileVerbs } from '../../rootwrap/files.ts';
import { decide } from '../../rootwrap/match.ts';
import { CommandError, type CommandResult, type Executor } from '../../src/driver/executor.ts';
import { plainLook, realFilters } from './real-filters.ts';

/** `shapes` take the place of those of the filters: a test's devices are not those of a volume group. */
export function byVerbs(shapes: Readonly<Record<string, string>>): Executor & { readonly asked: readonly string[] } {
  const filters = realFilters(shapes);
  const asked: string[] = [];
  const refuse = (words: string, text: string) =>
    new CommandError(words, 'exit', {
      result: { exitCode: 1, stdout: '', stderr: text, durationMs: 0 },
      text: 'exit code 1',
      stderr: text,
    });
  return {
    viaHelper: true,
    asked,
    async run({ argv, input = '' }): Promise<CommandResult> {
      const words = argv.join(' ');
      asked.push(words);
      const decision = decide(filters, argv, plainLook);
      if (decision.kind === 'refused') throw new Error(`no filter allows ${words}`);
      const [name, ...args] = argv;
      const verb = fileVerbs[name];
      if (verb === undefined) {
        const { stdout, stderr } = await promisify(execFile)(name, args);
        return { exitCode: 0, stdout, stderr, durationMs: 0 };
      }
      try {
        return { exitCode: 0, stdout: verb(args, Buffer.from(input)).toString(), stderr: '', durationMs: 0 };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        throw refuse(words, `${name}: ${code ?? message}\n`);
      }
    },
  };
}
