import type { LeaseRecords } from '../model/lease.ts';
import type { Session } from './session.ts';
import { SQL_NOW } from './time.ts';

const UNTIL = `${SQL_NOW} + make_interval(secs => :ttlMs / 1000.0)`;

/** A row stays when its lease is given back or runs out, so that its epoch counts on. */
export function leaseStore(session: Session): LeaseRecords {
  return {
    async take({ name, holder, life, ttlMs, over }) {
      const [taken] = await session.rows<{ epoch: number }>(
        `insert into ashlar_leases as l (name, holder, life, epoch, expires_at)
         values (:name, :holder, :life, 1, ${UNTIL})
         on conflict (name) do update set
           holder = excluded.holder, life = excluded.life, epoch = l.epoch + 1, expires_at = excluded.expires_at
         where l.expires_at <= ${SQL_NOW} or l.holder = excluded.holder or l.holder = :over
         returning epoch`,
        { name, holder, life, ttlMs, over },
      );
      if (taken !== undefined) return { kind: 'taken', epoch: taken.epoch };
      const [held] = await session.rows<{ holder: string; life: string; left_ms: number }>(
        `select holder, life, greatest(extract(epoch from expires_at - ${SQL_NOW}) * 1000, 0) as left_ms
         from ashlar_leases where name = :name`,
        { name },
      );
      // Whoever had it may have let it go between the two statements; the next look takes it.
      return { kind: 'held', holder: held?.holder ?? '', life: held?.life ?? '', leftMs: held?.left_ms ?? 0 };
    },
    async renew({ name, epoch, ttlMs }) {
      const rows = await session.rows(
        `update ashlar_leases set expires_at = ${UNTIL} where name = :name and epoch = :epoch returning epoch`,
        { name, epoch, ttlMs },
      );
      return rows.length > 0;
    },
    async release({ name, epoch }) {
      await session.rows(
        `update ashlar_leases set expires_at = ${SQL_NOW}, holder = '' where name = :name and epoch = :epoch`,
        { name, epoch },
      );
    },
  };
}
