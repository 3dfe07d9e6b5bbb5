import { after } from 'node:test';
import { storeSuite } from '../../suites/store.ts';
import { startTestPostgres } from '../../support/postgres.ts';

const postgres = await startTestPostgres();
after(() => postgres.stop());

storeSuite('PostgreSQL', () => postgres.freshStore());
