/** Dates as Block Storage v3 writes them: UTC, microseconds, no zone: `2026-11-20T18:23:06.000000`. Pure. */
export function timestamp(date: Date): string;
export function timestamp(date: Date | null): string | null;
export function timestamp(date: Date | null): string | null {
  return date === null ? null : `${date.toISOString().slice(0, -1)}000`;
}
