import { attachmentStore } from './attachments.ts';
import type { Database } from './connection.ts';
import { leaseStore } from './leases.ts';
import { operationStore } from './operations.ts';
import { peerStore } from './peer-requests.ts';
import { quotaStore } from './quotas.ts';
import { serviceStore } from './services.ts';
import { openSession, type Session } from './session.ts';
import { snapshotStore } from './snapshots.ts';
import type { Store } from './store.ts';
import { volumeTypeStore } from './volume-types.ts';
import { volumeStore } from './volumes.ts';

/** The store on PostgreSQL. It takes the database over: `close` closes its connections. */
export function createStore(database: Database): Store {
  return storeOn(openSession(database), () => database.close());
}

function storeOn(session: Session, close: () => Promise<void>): Store {
  return {
    volumes: volumeStore(session),
    snapshots: snapshotStore(session),
    attachments: attachmentStore(session),
    types: volumeTypeStore(session),
    services: serviceStore(session),
    quotas: quotaStore(session),
    operations: operationStore(session),
    leases: leaseStore(session),
    peers: peerStore(session),
    transaction: (work) => session.atomic((tx) => work(storeOn(tx, async () => {}))),
    async ping() {
      await session.rows('select 1 as one');
    },
    close,
  };
}
