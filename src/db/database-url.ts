/** Reads `[database] connection`, in the form that SQLAlchemy takes, since an existing cinder.conf has it so. Pure. */
import { failure } from '../model/errors.ts';

export interface DatabaseAddress {
  /** Host name, address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string;
  /** As libpq means it; anything weaker than `require` is a plain connection. */
  readonly tls: 'off' | 'encrypt' | 'verify';
  /** File with the certificates to trust, for `verify`. */
  readonly tlsRootCertificate: string | null;
}

const DEFAULT_SOCKET_DIRECTORY = '/var/run/postgresql';
const EXAMPLE = 'postgresql://user:password@host/database';
const OTHER_DATABASES: Readonly<Record<string, string>> = { mysql: 'MySQL', mariadb: 'MariaDB', sqlite: 'SQLite' };

/** Throws InvalidConfigurationValue; the URL itself, which holds a password, is in no error. */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const parts =
    /^([\w+.-]+):\/\/(?:([^:@/]*)(?::([^@]*))?@)?(?:\[([^\]]*)\]|([^:/?]*))(?::(\d*))?(?:\/([^?]*))?(?:\?(.*))?$/s.exec(
      url.trim(),
    );
  if (parts === null) throw invalid(`is not a database URL. Write it as ${EXAMPLE}.`);
  const [, scheme = '', user, password, bracketedHost, plainHost, port, database, query] = parts;
  checkScheme(scheme);
  const settings = new URLSearchParams(query ?? '');
  const host = settings.get('host') ?? bracketedHost ?? decode(plainHost ?? '');
  const name = settings.get('dbname') ?? decode(database ?? '');
  const userName = settings.get('user') ?? (user === undefined ? '' : decode(user));
  if (name === '') throw invalid(`names no database. Write it as ${EXAMPLE}.`);
  return {
    host: host === '' ? DEFAULT_SOCKET_DIRECTORY : host,
    port: parsePort(settings.get('port') ?? port ?? ''),
    user: userName === '' ? null : userName,
    password: settings.get('password') ?? (password === undefined ? null : decode(password)),
    database: name,
    tls: parseTls(settings.get('sslmode')),
    tlsRootCertificate: settings.get('sslrootcert'),
  };
}

/** Where the database is, for people: no user, no password. */
export function describeAddress({ host, port, database }: DatabaseAddress): string {
  return host.startsWith('/') ? `${database} on the socket in ${host}` : `${database} at ${host}:${port}`;
}

function checkScheme(scheme: string): void {
  const [dialect = ''] = scheme.toLowerCase().split('+');
  if (dialect === 'postgresql' || dialect === 'postgres') return;
  const other = OTHER_DATABASES[dialect];
  const what = other === undefined ? 'is not of a kind that is known' : `names a ${other} database`;
  throw invalid(`${what}; PostgreSQL 15 or later is needed. Write it as ${EXAMPLE}.`);
}

function parsePort(text: string): number {
  if (text === '') return 5432;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid('has a port that is not between 1 and 65535.');
  return port;
}

function parseTls(mode: string | null): DatabaseAddress['tls'] {
  if (mode === 'require') return 'encrypt';
  if (mode === 'verify-ca' || mode === 'verify-full') return 'verify';
  if (mode === null || ['disable', 'allow', 'prefer'].includes(mode)) return 'off';
  throw invalid('has an sslmode that is not known. Known are disable, require, verify-ca and verify-full.');
}

/** A stray per cent sign stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(reason: string) {
  return failure('InvalidConfigurationValue', { group: 'database', option: 'connection', reason });
}
