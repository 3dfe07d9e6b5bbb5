import type { Row } from '../session.ts';
import { cinderTablesMigration } from './001-cinder-tables.ts';
import { operationsMigration } from './002-operations.ts';

/** One step of the schema. It runs in a transaction; once released it is never changed, only followed by another. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  up(sql: Sql, database: { readonly isEmpty: boolean }): Promise<void>;
}

export type Sql = (statement: string, bindings?: Readonly<Record<string, unknown>>) => Promise<Row[]>;

/** The roll-call, in order. */
export const migrations: readonly Migration[] = [cinderTablesMigration, operationsMigration];

export const LATEST_VERSION = migrations.at(-1)!.version;
