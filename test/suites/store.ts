/** The suite that every Store runs. `makeStore` gives a store on a database with nothing but the schema's first rows. */
import { after, before, describe } from 'node:test';
import type { Store } from '../../src/db/store.ts';
import { attachmentCases } from './store/attachments.ts';
import { leaseCases } from './store/leases.ts';
import { operationCases } from './store/operations.ts';
import { pagingCases } from './store/paging.ts';
import { quotaCases } from './store/quotas.ts';
import { serviceCases } from './store/services.ts';
import { snapshotCases } from './store/snapshots.ts';
import { transactionCases } from './store/transactions.ts';
import { volumeTypeCases } from './store/volume-types.ts';
import { volumeCases } from './store/volumes.ts';

export function storeSuite(name: string, makeStore: () => Promise<Store>): void {
  describe(`store: ${name}`, { timeout: 120_000 }, () => {
    let store: Store;
    before(async () => {
      store = await makeStore();
    });
    after(() => store.close());
    const cases = [
      ...[volumeCases, pagingCases, snapshotCases, attachmentCases, volumeTypeCases],
      ...[serviceCases, quotaCases, operationCases, leaseCases, transactionCases],
    ];
    for (const each of cases) each(() => store);
  });
}
