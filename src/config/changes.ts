import { isDeepStrictEqual } from 'node:util';
import type { DeclaredValue } from './config.ts';

/** An option whose value is another than before. The values themselves may be secrets and stay out of it. */
export interface ChangedOption {
  readonly group: string;
  readonly option: string;
  /** It may change without a restart. */
  readonly mutable: boolean;
}

/** What differs between two readings that declared the same; an option that one of them lacks has changed. */
export function changedOptions(
  before: readonly DeclaredValue[],
  after: readonly DeclaredValue[],
): readonly ChangedOption[] {
  const key = ({ group, option }: DeclaredValue) => `${group}/${option}`;
  const old = new Map(before.map((value) => [key(value), value]));
  const now = new Map(after.map((value) => [key(value), value]));
  const gone = before.filter((value) => !now.has(key(value)));
  const different = after.filter((value) => {
    const earlier = old.get(key(value));
    return earlier === undefined || !isDeepStrictEqual(earlier.value, value.value);
  });
  return [...different, ...gone].map(({ group, option, mutable }) => ({ group, option, mutable }));
}
