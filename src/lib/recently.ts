/** Remembers for a moment what was read, for what many ask in a row and what changes seldom. */
export function createRecently<T>(
  read: (key: string) => Promise<T>,
  { lifeMs }: { readonly lifeMs: number },
): (key: string) => Promise<T> {
  const kept = new Map<string, { readonly value: Promise<T>; readonly atMs: number }>();
  return async (key) => {
    const now = performance.now();
    const known = kept.get(key);
    if (known !== undefined && now - known.atMs < lifeMs) return await known.value;
    // What is old goes with the next that is read, so that it does not grow.
    for (const [other, { atMs }] of kept) if (now - atMs >= lifeMs) kept.delete(other);
    const value = read(key);
    kept.set(key, { value, atMs: now });
    try {
      return await value;
    } catch (error) {
      if (kept.get(key)?.value === value) kept.delete(key);
      throw error;
    }
  };
}
