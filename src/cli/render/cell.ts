import { escapeControls } from './text.ts';

/** A field's value as one line: what `-f value` prints, and a table of many rows shows. Null is the empty string. */
export function lineOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return escapeControls(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.every(isScalar) ? value.map(lineOf).join(', ') : escapeControls(json(value));
  return entriesOf(value).join(', ');
}

/** A field's value for a table of one resource: an object takes a line for each of its entries. */
export function linesOf(value: unknown): string[] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return entriesOf(value);
  return [lineOf(value)];
}

function entriesOf(value: object): string[] {
  return Object.entries(value).map(([key, entry]) => {
    const text = isScalar(entry) ? lineOf(entry) : escapeControls(json(entry));
    return `${escapeControls(key)}='${text}'`;
  });
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
