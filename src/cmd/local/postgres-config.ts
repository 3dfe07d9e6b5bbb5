/**
 * The embedded server's configuration: small (about 11 MB), quiet, and durable. Written anew at each start, so that a new
 * version's settings reach old data.
 */

/** The content of postgresql.conf for a server that listens on a unix socket in the given directory and nowhere else. */
export function renderPostgresConfig(socketDirectory: string): string {
  const lines = Object.entries(settings({ unix_socket_directories: quote(socketDirectory) }));
  return [
    '# Written by ashlar at each start; changes made here are lost.',
    ...lines.map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

function settings(own: Readonly<Record<string, string>>): Record<string, string> {
  return {
    listen_addresses: quote(''),
    port: '5432',
    ...own,
    unix_socket_permissions: '0700',
    max_connections: '40',
    password_encryption: quote('scram-sha-256'),

    // An acknowledged commit is on disk. Nothing here may weaken that.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',

    shared_buffers: '16MB',
    work_mem: '2MB',
    maintenance_work_mem: '16MB',
    wal_buffers: '512kB',
    min_wal_size: '32MB',
    max_wal_size: '128MB',
    huge_pages: 'off',

    // One server process a connection and no helpers that only a large database needs.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    max_worker_processes: '0',
    max_parallel_workers: '0',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    io_method: quote('sync'),
    jit: 'off',

    // Calm, so that an idle node sleeps.
    autovacuum: 'on',
    autovacuum_max_workers: '1',
    autovacuum_worker_slots: '1',
    autovacuum_naptime: quote('2min'),
    checkpoint_timeout: quote('15min'),
    bgwriter_delay: quote('10s'),
    bgwriter_lru_maxpages: '0',

    timezone: quote('UTC'),
    log_timezone: quote('UTC'),
    log_line_prefix: quote('%m [%p] '),
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    // Rows hold CHAP secrets: neither statements nor the DETAIL of an error (which quotes rows) reach the log.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
