import { lineOf, linesOf } from './cell.ts';
import { renderTable } from './table.ts';
import { escapeControls, escapeControlsInJson } from './text.ts';

export const FORMATS = ['table', 'json', 'value'] as const;
export type Format = (typeof FORMATS)[number];

/** One column of a list: `key` names it in JSON and for -c, `label` heads it in a table. */
export interface Column<T> {
  readonly key: string;
  readonly label: string;
  value(item: T): unknown;
}

/** Many resources. JSON: an array of objects by key. Value: a line each, fields parted by a tab. */
export function renderList<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  format: Format,
  width?: number,
): string {
  switch (format) {
    case 'json':
      return json(items.map((item) => Object.fromEntries(columns.map(({ key, value }) => [key, value(item) ?? null]))));
    case 'value':
      return items.map((item) => `${columns.map(({ value }) => lineOf(value(item))).join('\t')}\n`).join('');
    case 'table':
      return renderTable(
        columns.map(({ label }) => label),
        items.map((item) => columns.map(({ value }) => [lineOf(value(item))])),
        width,
      );
  }
}

/** One resource: an object, a line for each field, or a table of field and value. */
export function renderRecord(fields: readonly (readonly [string, unknown])[], format: Format, width?: number): string {
  switch (format) {
    case 'json':
      return json(Object.fromEntries(fields.map(([key, value]) => [key, value ?? null])));
    case 'value':
      return fields.map(([, value]) => `${lineOf(value)}\n`).join('');
    case 'table':
      return renderTable(
        ['Field', 'Value'],
        fields.map(([key, value]) => [[escapeControls(key)], linesOf(value)]),
        width,
      );
  }
}

function json(value: unknown): string {
  return `${escapeControlsInJson(JSON.stringify(value, null, 2))}\n`;
}
