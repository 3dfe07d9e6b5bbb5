/** A table as data: columns in PostgreSQL's words, keys and indexes by column names. Unnamed ones get the server's names. */
export interface Table {
  readonly columns: Readonly<Record<string, string>>;
  readonly unique?: readonly (readonly string[])[];
  readonly uniqueIndexes?: Readonly<Record<string, readonly string[]>>;
  readonly indexes?: Readonly<Record<string, readonly string[]>>;
}

export type Tables = Readonly<Record<string, Table>>;

/** What nearly every table of Cinder's begins with: rows are marked deleted, not removed. */
export const softDelete = {
  created_at: 'timestamp',
  updated_at: 'timestamp',
  deleted_at: 'timestamp',
  deleted: 'boolean',
} as const;

/** The statements that create a table. `references other(column)` needs the other table to be there. */
export function createTableStatements(name: string, table: Table): string[] {
  const columns = Object.entries(table.columns).map(
    ([column, definition]) =>
      `${quote(column)} ${definition.replace(/references (\w+)\((\w+)\)/, 'references "$1"("$2")')}`,
  );
  const constraints = (table.unique ?? []).map((names) => `unique (${names.map(quote).join(', ')})`);
  return [
    `create table ${quote(name)} (\n  ${[...columns, ...constraints].join(',\n  ')}\n)`,
    ...createIndexes('create unique index', name, table.uniqueIndexes),
    ...createIndexes('create index', name, table.indexes),
  ];
}

function createIndexes(verb: string, table: string, indexes: Table['indexes'] = {}): string[] {
  return Object.entries(indexes).map(
    ([index, columns]) => `${verb} ${quote(index)} on ${quote(table)} (${columns.map(quote).join(', ')})`,
  );
}

/** Tables in an order in which each comes after those it references. */
export function inOrderOfReference(tables: Tables): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    if (order.includes(name)) return;
    for (const definition of Object.values(tables[name]!.columns)) {
      const other = /references (\w+)\(/.exec(definition)?.[1];
      if (other !== undefined && other !== name) visit(other);
    }
    order.push(name);
  };
  for (const name of Object.keys(tables)) visit(name);
  return order;
}

function quote(identifier: string): string {
  return `"${identifier}"`;
}
