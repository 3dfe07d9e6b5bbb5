import { type AshlarError, failure, isFailure } from '../model/errors.ts';
import { codeOf } from './errors.ts';
import type { Row } from './rows.ts';
import type { Session } from './session.ts';
import { SQL_NOW } from './time.ts';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Inserts a row with created_at = the database's now. A second one with the same key is Overtaken; a reference to
 * nothing is the given error.
 */
export async function insertRow(
  session: Session,
  table: string,
  row: Row,
  otherwise: { readonly references?: () => AshlarError } = {},
): Promise<void> {
  try {
    await session.write(session.knex(table).insert({ created_at: session.knex.raw(SQL_NOW), ...row }));
  } catch (error) {
    if (isFailure(error, 'Internal') && codeOf(error.cause) === UNIQUE_VIOLATION) {
      throw failure('Overtaken', { what: `${table} ${row.id}`, reason: 'there is one with this id already.' }, error);
    }
    if (
      otherwise.references !== undefined &&
      isFailure(error, 'Internal') &&
      codeOf(error.cause) === FOREIGN_KEY_VIOLATION
    ) {
      throw otherwise.references();
    }
    throw error;
  }
}

const NOUNS = { volumes: 'Volume', snapshots: 'Snapshot', volume_types: 'Volume type' } as const;
const CODES = { volumes: 'InvalidVolume', snapshots: 'InvalidSnapshot', volume_types: 'InvalidVolumeType' } as const;

/**
 * Refuses a new dependant of a row that is deleted or about to be, and holds a deletion that begins now back until this
 * transaction ends (the deletion locks the row FOR UPDATE). A row that is not there at all is left to foreign keys.
 */
export async function requireNotGoing(tx: Session, table: keyof typeof NOUNS, id: string): Promise<void> {
  const status = table === 'volume_types' ? "''" : 'status';
  const [row] = await tx.rows<{ deleted: boolean; status: string }>(
    `select deleted, ${status} as status from ${table} where id = :id for key share`,
    { id },
  );
  if (row === undefined || (row.deleted !== true && row.status !== 'deleting')) return;
  const reason = `${NOUNS[table]} ${id} is ${row.deleted ? 'deleted' : 'being deleted'}. Choose another one.`;
  throw failure(CODES[table], { reason });
}
