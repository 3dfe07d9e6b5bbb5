import { option, type ValuesOf } from '../config/options.ts';

/** The database's options, [database] group. */
export const databaseOptions = {
  connection: option.string(
    null,
    'The database: postgresql://user:password@host/database, or over a unix socket postgresql:///database?host=/directory. ' +
      'PostgreSQL 15 or later. Without it `npm start` runs one of its own.',
    { secret: true },
  ),
  max_pool_size: option.integer(5, 'The most connections that one process keeps to the database.', {
    min: 1,
    deprecatedNames: ['DEFAULT/sql_max_pool_size', 'DATABASE/sql_max_pool_size'],
  }),
  max_retries: option.integer(
    10,
    'How often to try again at start while the database cannot be reached, then give up; -1 is for ever.',
    { min: -1 },
  ),
  retry_interval: option.integer(10, 'Seconds between these tries.', { min: 1 }),
  pool_timeout: option.integer(30, 'Seconds that a request waits for a free connection.', { min: 1 }),
} as const;

export type DatabaseOptions = ValuesOf<typeof databaseOptions>;
