/**
 * A member of a group as a process of its own, forked with an IPC channel. It gets `{ connection, member, ttlMs }`, takes
 * the key, says `held`, and answers every later message with whether a check passes: `ours` or the failure's code.
 */
import { createLeasedLock } from '../../src/coordination/leased-lock.ts';
import { type ConnectionSettings, openDatabase } from '../../src/db/connection.ts';
import { createStore } from '../../src/db/postgres-store.ts';
import { AshlarError } from '../../src/model/errors.ts';
import { silentLog } from './postgres.ts';

export interface MemberOrder {
  readonly connection: ConnectionSettings['connection'];
  readonly member: string;
  readonly ttlMs: number;
}

export const GROUP = 'c@lvm';
export const KEY = 'volume:v';

// Whoever started it may be gone.
process.on('disconnect', () => process.exit(0));
process.once('message', (order: MemberOrder) => void serve(order));

async function serve({ connection, member, ttlMs }: MemberOrder): Promise<void> {
  const { leases } = createStore(openDatabase({ connection }));
  const signal = new AbortController().signal;
  const lock = createLeasedLock({ records: leases, group: GROUP, member, ttlMs, log: silentLog, signal });
  await lock.withKeys([KEY], async (hold) => {
    process.send!('held');
    process.on('message', () => {
      try {
        hold.check();
        process.send!('ours');
      } catch (error) {
        process.send!(error instanceof AshlarError ? error.code : String(error));
      }
    });
    await new Promise(() => {});
  });
}
