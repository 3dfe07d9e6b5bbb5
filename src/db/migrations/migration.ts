import type { Row } from '../rows.ts';

/** One step of the schema. It runs in a transaction; once released it is never changed, only followed by another. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  up(sql: Sql, database: { readonly isEmpty: boolean }): Promise<void>;
}

export type Sql = (statement: string, bindings?: Readonly<Record<string, unknown>>) => Promise<Row[]>;
