import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openDatabase } from '../../../src/db/connection.ts';
import { createStore } from '../../../src/db/postgres-store.ts';
import { addVolume } from '../../suites/store/rows.ts';
import { startTestPostgres } from '../../support/postgres.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

test('a thousand volumes with their metadata are one query', { timeout: 60_000 }, async () => {
  const database = openDatabase({ connection: await postgres.migratedDatabase() });
  const store = createStore(database);
  const { volumeTypeId } = await addVolume(store, { projectId: 'p' });
  await database.knex.raw(
    `insert into volumes (id, project_id, size, status, volume_type_id, deleted, created_at)
     select 'v-' || n, 'p', 1, 'available', :volumeTypeId, false, now() from generate_series(1, 999) n`,
    { volumeTypeId },
  );
  await database.knex.raw(
    `insert into volume_metadata (volume_id, key, value, deleted)
     select 'v-' || n, 'key-' || k, n::text, false from generate_series(1, 999) n, generate_series(1, 3) k`,
  );
  const statements: string[] = [];
  database.knex.on('query', ({ sql }: { sql: string }) => statements.push(sql));
  const volumes = await store.volumes.list({ projectId: 'p', limit: 1000 });
  assert.equal(volumes.length, 1000);
  assert.deepEqual(volumes.find(({ id }) => id === 'v-7')?.metadata, { 'key-1': '7', 'key-2': '7', 'key-3': '7' });
  assert.equal(statements.length, 1, statements.join('\n'));
  const started = performance.now();
  await store.volumes.list({ projectId: 'p', limit: 1000 });
  console.log(`# listed 1000 volumes in ${Math.round(performance.now() - started)} ms`);
  await store.close();
});

test('a metadata key that several set at once has one row', { timeout: 60_000 }, async () => {
  const database = openDatabase({ connection: await postgres.migratedDatabase() });
  const store = createStore(database);
  const { id } = await addVolume(store);
  for (let round = 0; round < 10; round += 1) {
    const writers = [1, 2, 3, 4, 5].map((n) => store.volumes.setMetadata(id, { [`key-${round}`]: `${n}` }, 'merge'));
    await Promise.all(writers);
  }
  const { rows } = await database.knex.raw(
    'select count(*) as count, count(distinct key) as keys from volume_metadata',
  );
  assert.deepEqual(rows, [{ count: 10, keys: 10 }]);
  await store.close();
});
