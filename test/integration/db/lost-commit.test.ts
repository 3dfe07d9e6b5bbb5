import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Database, openDatabase } from '../../../src/db/connection.ts';
import { openSession } from '../../../src/db/session.ts';
import { isFailure } from '../../../src/model/errors.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
let database: Database;
let other: Database;
before(async () => {
  postgres = await startTestPostgres();
  const connection = await postgres.emptyDatabase();
  database = openDatabase({ connection });
  other = openDatabase({ connection });
  await other.knex.raw('create table kept (id integer primary key, twin integer unique deferrable initially deferred)');
});
after(async () => {
  await database.close();
  await other.close();
  await postgres.stop();
});

test('a connection that is lost before COMMIT is a failure, never a silent success', async () => {
  const writing = openSession(database).atomic(async (session) => {
    await session.rows('insert into kept values (1, 1)');
    const [row] = await session.rows<{ pid: number }>('select pg_backend_pid() as pid');
    await other.knex.raw('select pg_terminate_backend(?, 5000)', [row!.pid]);
    return 'written';
  });
  await assert.rejects(writing, (error) => isFailure(error, 'ConnectionFailed'));
  assert.equal((await other.knex.raw('select * from kept')).rows.length, 0);
});

test('so is a COMMIT that the server refuses', async () => {
  const writing = openSession(database).atomic(async (session) => {
    await session.rows('insert into kept values (2, 2), (3, 2)');
    return 'written';
  });
  await assert.rejects(writing, /unique/);
  assert.equal((await other.knex.raw('select * from kept')).rows.length, 0);
  // And the connection is as good as new.
  await openSession(database).atomic((session) => session.rows('insert into kept values (4, 4)'));
  assert.equal((await other.knex.raw('select * from kept')).rows.length, 1);
});
