/** Dates are UTC in columns of type `timestamp` (without time zone); pg alone would read and write local time. */

/** `2026-01-31 12:00:00.123456` -> Date. */
export function parseUtc(text: string): Date {
  return new Date(`${text.replace(' ', 'T')}Z`);
}

/** Date -> the text that PostgreSQL stores as it stands. */
export function formatUtc(date: Date): string {
  return date.toISOString().slice(0, -1);
}

/**
 * The database's clock in UTC, to the millisecond: what a Date can hold, so that a filter on a time that was shown finds
 * the row.
 */
export const SQL_NOW = "date_trunc('milliseconds', clock_timestamp() at time zone 'UTC')";
