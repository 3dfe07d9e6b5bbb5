import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startEmbeddedPostgres } from '../../../src/cmd/local/postgres.ts';
import { findPostgresBinaries } from '../../../src/cmd/local/postgres-package.ts';
import { openDatabase } from '../../../src/db/connection.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { recorderLog } from '../../support/recorder-log.ts';

// In memory where that is possible: the fsyncs of so many databases are slow elsewhere.
const root = await mkdtemp('/dev/shm/ashlar-pg-').catch(() => mkdtemp(join(tmpdir(), 'ashlar-pg-')));
after(() => rm(root, { recursive: true, force: true }));
const log = recorderLog();
const settings = ['data_checksums', 'fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'jit'];

describe('embedded PostgreSQL', { timeout: 120_000 }, () => {
  test('the first start makes a private, durable database behind a password; the next one finds it', async () => {
    const stateDir = join(root, 'first');
    const server = await startEmbeddedPostgres({ stateDir, log });
    assert.equal(server.connection.host, join(stateDir, 'run'));
    const database = openDatabase({ connection: server.connection });
    const values: Record<string, string> = {};
    for (const name of settings) values[name] = (await database.knex.raw(`show ${name}`)).rows[0][name];
    assert.deepEqual(values, {
      ...{ data_checksums: 'on', fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
      ...{ listen_addresses: '', jit: 'off' },
    });
    const wrong = openDatabase({ connection: { ...server.connection, password: 'wrong' } });
    await assert.rejects(wrong.knex.raw('select 1'), /password authentication failed/);
    await wrong.close();
    await database.knex.raw('create table kept (id int)');
    await database.close();
    await server.stop();

    for (const [name, mode] of [
      ['postgres', 0o700],
      ['run', 0o700],
      ['postgres.password', 0o600],
      ['log/postgres.log', 0o600],
    ] as const) {
      assert.equal((await stat(join(stateDir, name))).mode & 0o777, mode, name);
    }
    const again = await startEmbeddedPostgres({ stateDir, log });
    assert.deepEqual(again.connection, server.connection);
    const reopened = openDatabase({ connection: again.connection });
    await reopened.knex.raw('select * from kept');
    await reopened.close();
    await again.stop();
    const files = await readdir(join(stateDir, 'log'));
    assert.deepEqual(files.sort(), ['postgres.log', 'postgres.log.1'], 'logs do not pile up');
  });

  test('after kill -9 of ashlar, of the server, or of both at once, the next start gets what was committed', async () => {
    const stateDir = join(root, 'killed');
    let expected = 0;
    for (const victims of ['owner', 'server', 'both'] as const) {
      const owner = startOwner(stateDir);
      const serverPid = await owner.serverPid;
      const connection = {
        host: join(stateDir, 'run'),
        user: 'ashlar',
        database: 'ashlar',
        password: await passwordIn(stateDir),
      };
      const database = openDatabase({ connection });
      await database.knex.raw('create table if not exists commits (n int)');
      await database.knex.raw('insert into commits values (1)');
      expected += 1;
      if (victims !== 'owner') process.kill(serverPid, 'SIGKILL');
      if (victims !== 'server') owner.child.kill('SIGKILL');
      await database.close();
      if (victims === 'server') owner.child.kill('SIGKILL');
      const server = await startEmbeddedPostgres({ stateDir, log });
      const reopened = openDatabase({ connection: server.connection });
      assert.equal((await reopened.knex.raw('select count(*) as n from commits')).rows[0].n, expected, victims);
      await reopened.close();
      await server.stop();
    }
  });

  test('a state directory in use by a living ashlar is refused, and its server lives on', async () => {
    const stateDir = join(root, 'shared');
    const owner = startOwner(stateDir);
    const serverPid = await owner.serverPid;
    await assert.rejects(
      startEmbeddedPostgres({ stateDir, log }),
      (error) => isFailure(error, 'ServiceUnavailable') && error.message.includes(`process ${owner.child.pid}`),
    );
    process.kill(serverPid, 0);
    owner.child.kill('SIGKILL');
    const server = await startEmbeddedPostgres({ stateDir, log });
    await server.stop();
  });

  test('a crash in the middle of making the database leaves nothing in the way', async () => {
    const stateDir = join(root, 'half');
    await mkdir(join(stateDir, 'postgres.new-abc', 'base'), { recursive: true });
    await writeFile(join(stateDir, 'postgres.new-abc', 'PG_VERSION'), '18\n');
    const server = await startEmbeddedPostgres({ stateDir, log });
    assert.equal(existsSync(join(stateDir, 'postgres.new-abc')), false);
    await server.stop();
  });

  test('a lock file whose process id belongs to another program meanwhile is no obstacle', async () => {
    const stateDir = join(root, 'stale');
    const server = await startEmbeddedPostgres({ stateDir, log });
    await server.stop();
    const dataDirectory = join(stateDir, 'postgres');
    await writeFile(
      join(dataDirectory, 'postmaster.pid'),
      `${process.pid}\n${dataDirectory}\n1\n5432\n${stateDir}/run\n\n`,
    );
    await writeFile(join(stateDir, 'run', '.s.PGSQL.5432.lock'), `${process.pid}\n`);
    const again = await startEmbeddedPostgres({ stateDir, log });
    await again.stop();
  });

  test('where the path is too long for a socket, it gets a private place that is remembered', async () => {
    const stateDir = join(root, `${randomUUID()}-${randomUUID()}-${randomUUID()}-ü`);
    const server = await startEmbeddedPostgres({ stateDir, log });
    const { host } = server.connection;
    assert.notEqual(host, join(stateDir, 'run'));
    assert.equal((await stat(host)).mode & 0o777, 0o700);
    await server.stop();
    const again = await startEmbeddedPostgres({ stateDir, log });
    assert.equal(again.connection.host, host);
    await again.stop();
    await rm(host, { recursive: true });
    const third = await startEmbeddedPostgres({ stateDir, log });
    assert.ok(existsSync(third.connection.host));
    await third.stop();
    await rm(third.connection.host, { recursive: true });
  });

  test('a password that is lost is said so, not replaced', async () => {
    const stateDir = join(root, 'lost');
    await mkdir(join(stateDir, 'postgres'), { recursive: true });
    await assert.rejects(startEmbeddedPostgres({ stateDir, log }), /postgres\.password is gone/);
    assert.equal(existsSync(join(stateDir, 'postgres.password')), false);
  });

  test('a platform without the package is told about [database] connection', async () => {
    await assert.rejects(
      findPostgresBinaries('linux', 'sparc'),
      (error) => isFailure(error, 'ServiceUnavailable') && /connection in \[database\]/.test(error.message),
    );
  });
});

/** A process of its own that runs the server until it is killed. */
function startOwner(stateDir: string): { readonly child: ChildProcess; readonly serverPid: Promise<number> } {
  const source = new URL('../../../src/cmd/local/postgres.ts', import.meta.url).href;
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(source)});
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const server = await startEmbeddedPostgres({ stateDir: ${JSON.stringify(stateDir)}, log });
    process.stdout.write(String(server.pid));
    setInterval(() => {}, 60000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const serverPid = new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(Number(data)));
    child.once('exit', () => reject(new Error('the owner ended early')));
  });
  serverPid.catch(() => {});
  return { child, serverPid };
}

async function passwordIn(stateDir: string): Promise<string> {
  return (await readFile(join(stateDir, 'postgres.password'), 'utf8')).trim();
}
