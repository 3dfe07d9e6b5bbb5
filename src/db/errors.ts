/** What the driver and the server throw -> the error catalogue. Rows hold secrets, so only codes and messages pass. */
import { AshlarError, failure, isFailure, messageOf } from '../model/errors.ts';

/** How errors name it, before its address. */
const NAME = 'Database ';

/** Worth another try of the whole transaction: serialization failure, deadlock. */
const RETRYABLE = new Set(['40001', '40P01']);

/** The server is not there, goes away, or has no room: it may be back soon. SQLSTATE class 08 belongs here too. */
const UNREACHABLE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EACCES', 'ECONNABORTED'],
  ...['57P01', '57P02', '57P03', '57P05', '53300', '25P03'],
]);
const UNREACHABLE_MESSAGE =
  /connection terminated|terminating connection|timeout expired|timeout acquiring a connection|connection error and is not queryable|client was closed|unable to acquire a connection|socket hang up|transaction query already complete/i;

/** The server answers, and refuses us: user, password, database name. Waiting does not help. */
const REFUSED = new Set(['28P01', '28000', '3D000', '42501']);

/** Text that a column cannot hold: too long, a NUL character, a number out of range. */
const BAD_VALUE: Readonly<Record<string, string>> = {
  '22001': 'A text is longer than its field can hold',
  '22003': 'A number is out of range',
  '22021': 'A text holds a character that cannot be stored',
  '22P05': 'A text holds a character that cannot be stored',
};

/** True where the transaction may be tried again as a whole. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error));
}

/** True where the database answered and will not have us: wrong password, no such database. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AshlarError && error.cause !== undefined && REFUSED.has(codeOf(error.cause));
}

/** True where the database, and nothing else, could not be reached: what became of the statement is not known then. */
export function isDatabaseAway(error: unknown): boolean {
  return isFailure(error, 'ConnectionFailed') && String(error.params.what).startsWith(NAME);
}

/** SQLSTATE or errno code, empty without one. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** An error of the catalogue for anything that a query threw; ours pass through. `address` is for people. */
export function mapDatabaseError(error: unknown, address: string): AshlarError {
  if (error instanceof AshlarError) return error;
  const code = codeOf(error);
  const bare = withoutRowData(error, code);
  const what = `${NAME}${address}`;
  if (REFUSED.has(code)) {
    const reason = `it answers, but: ${bare.message}. Check connection in [database]`;
    return failure('ConnectionFailed', { what, reason: `${reason}.` }, bare);
  }
  if (UNREACHABLE.has(code) || code.startsWith('08') || UNREACHABLE_MESSAGE.test(bare.message)) {
    return failure('ConnectionFailed', { what, reason: `${bare.message}.` }, bare);
  }
  const badValue = BAD_VALUE[code];
  if (badValue !== undefined) return failure('InvalidInput', { reason: `${badValue}.` }, bare);
  return failure('Internal', { reason: `Database ${address} failed: ${bare.message} (${code || 'no code'}).` }, bare);
}

/** pg's errors carry `detail`, `where` and `internalQuery`, which quote rows: a copy without them. */
function withoutRowData(error: unknown, code: string): Error & { code: string } {
  const inner = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const copy = Object.assign(new Error(messageOf(inner) || code || 'no answer'), { code });
  if (inner instanceof Error && inner.stack !== undefined) copy.stack = inner.stack;
  return copy;
}
