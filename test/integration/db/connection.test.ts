import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startEmbeddedPostgres } from '../../../src/cmd/local/postgres.ts';
import { openDatabase, waitForDatabase } from '../../../src/db/connection.ts';
import { dbSync } from '../../../src/db/migrate.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import { isFailure, messageOf } from '../../../src/model/errors.ts';
import { addVolume } from '../../suites/store/rows.ts';
import { recorderLog } from '../../support/recorder-log.ts';

const stateDir = await mkdtemp(join(tmpdir(), 'ashlar-pg-'));
let server = await startEmbeddedPostgres({ stateDir, log: recorderLog() });
after(async () => {
  await server.stop();
  await rm(stateDir, { recursive: true, force: true });
});

describe('connection', { timeout: 60_000 }, () => {
  test('a server that is killed is ConnectionFailed, and works again when it is back; what was acknowledged is there', async () => {
    const store = createStore(openDatabase({ connection: server.connection, maxPoolSize: 3, poolTimeoutSeconds: 5 }));
    const database = openDatabase({ connection: server.connection });
    await dbSync(database);
    await database.close();
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    let stopWriting = false;
    const writers = [1, 2, 3, 4].map(async () => {
      while (!stopWriting) {
        await addVolume(store, { metadata: { a: '1' } }).then(
          (volume) => acknowledged.push(volume.id),
          (error) => failures.push(error),
        );
      }
    });
    await until(() => acknowledged.length > 20);
    process.kill(server.pid, 'SIGKILL');
    await until(() => failures.length > 5);
    await assert.rejects(store.ping(), (error) => isFailure(error, 'ConnectionFailed'));
    await assert.rejects(
      store.transaction((tx) => addVolume(tx)),
      (error) => isFailure(error, 'ConnectionFailed'),
    );

    const before = acknowledged.length;
    server = await startEmbeddedPostgres({ stateDir, log: recorderLog() });
    await until(() => acknowledged.length > before + 10);
    stopWriting = true;
    await Promise.all(writers);
    for (const error of failures) assert.ok(isFailure(error, 'ConnectionFailed'), messageOf(error));
    for (const id of acknowledged) assert.deepEqual((await store.volumes.get(id))?.metadata, { a: '1' });
    assert.equal(
      (await store.volumes.list({ projectId: null })).every(({ metadata }) => metadata.a === '1'),
      true,
    );
    await store.close();
  });

  test('a database that is down at start is waited for, and that is said once', async () => {
    await server.stop();
    const log = recorderLog();
    const database = openDatabase({ connection: server.connection });
    const tooShort = waitForDatabase({ database, log, maxRetries: 2, retryIntervalSeconds: 1 });
    await assert.rejects(tooShort, (error) => isFailure(error, 'ConnectionFailed'));
    assert.equal(log.records.length, 1);
    const waiting = waitForDatabase({ database, log, maxRetries: -1, retryIntervalSeconds: 1 });
    await until(() => log.records.length > 1);
    server = await startEmbeddedPostgres({ stateDir, log: recorderLog() });
    await waiting;
    assert.deepEqual(
      log.records.map(({ level }) => level),
      ['warn', 'warn', 'info'],
    );
    assert.ok(!log.text().includes(server.connection.password));
    await database.close();
  });

  test('waiting ends when it is no longer wanted', async () => {
    const database = openDatabase({ connection: { host: stateDir, database: 'nothing-here' } });
    const stop = new AbortController();
    const log = recorderLog();
    const waiting = waitForDatabase({ database, log, maxRetries: -1, retryIntervalSeconds: 1, signal: stop.signal });
    await until(() => log.records.length > 0);
    stop.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    await database.close();
  });

  test('a wrong password or database name fails at once, without the password', async () => {
    const wrong = [
      { ...server.connection, password: 'WRONG-SECRET' },
      { ...server.connection, database: 'not-there' },
    ];
    for (const connection of wrong) {
      const database = openDatabase({ connection });
      const log = recorderLog();
      await assert.rejects(
        waitForDatabase({ database, log, maxRetries: -1, retryIntervalSeconds: 1 }),
        (error) =>
          isFailure(error, 'ConnectionFailed') &&
          /\[database\]/.test(error.message) &&
          !/WRONG-SECRET/.test(error.message),
      );
      assert.equal(log.records.length, 0);
      await database.close();
    }
  });

  test('values are in no error, whatever fails', async () => {
    const database = openDatabase({ connection: server.connection });
    const store = createStore(database);
    const secret = 'CHAP user S3CRET-PASSWORD';
    const volume = await addVolume(store, { providerAuth: secret });
    const errors = [
      await addVolume(store, { ...volume, providerAuth: secret }).catch((error: unknown) => error),
      await addVolume(store, { providerAuth: secret, displayName: 'x'.repeat(300) }).catch((error: unknown) => error),
      await addVolume(store, { providerAuth: secret, serviceUuid: 'no-such' }).catch((error: unknown) => error),
      await store.volumes
        .updateIf(volume.id, {}, { providerAuth: secret, status: null as never, sizeGb: 1e12 })
        .catch((error: unknown) => error),
    ];
    for (const error of errors) {
      assert.ok(error instanceof Error);
      const everything = JSON.stringify([error, error.message, error.stack, error.cause, String(error.cause)], allKeys);
      assert.ok(!everything.includes('S3CRET'), everything);
    }
    await store.close();
  });
});

/** Errors as plain objects, hidden properties and causes included. */
function allKeys(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return Object.fromEntries(Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]));
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 20_000) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
