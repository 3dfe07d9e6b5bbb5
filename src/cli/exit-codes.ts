/** What the exit code of `ashlar` says. Scripts rely on these numbers: a number never changes its meaning. */
export const EXIT = {
  ok: 0,
  /** The API refused the request, or the work ended in an error status. */
  failed: 1,
  /** The command line itself is wrong. Nothing was sent. */
  usage: 2,
  /** The API cannot be reached, or it refuses the credentials (401, 403). */
  unreachable: 3,
  /** A name or id means nothing, or a name means several. */
  notFound: 4,
  /** The wait's limit ran out. The work itself goes on. */
  waitedTooLong: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The sentence under --help. */
export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  refused by the API, or the work ended in an error status
  2  the command line is wrong; nothing was sent
  3  the API cannot be reached, or it refuses the credentials
  4  no such resource, or a name that several have
  5  still at work when the limit of the wait (--timeout) ran out`;

/**
 * Every expected end of a command that is not success. It carries an exit code where the catalogue of src/model carries
 * an HTTP status: most of these messages are the far side's own words, or speak of the terminal's side of the wire.
 */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exitCode: ExitCode;
  /** True where the same request may succeed a moment later: a node that is being restarted. */
  readonly transient: boolean;

  constructor(exitCode: ExitCode, message: string, details: { cause?: unknown; transient?: boolean } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exitCode = exitCode;
    this.transient = details.transient ?? false;
  }
}
