import { after } from 'node:test';
import { storeSuite } from '../../suites/store.ts';
import { startTestPostgres } from '../../support/postgres.ts';

// Far from UTC and with summer time: a date that pg takes as local time is wrong here.
process.env.TZ = 'America/St_Johns';

const postgres = await startTestPostgres();
after(() => postgres.stop());

storeSuite('PostgreSQL', () => postgres.freshStore());
