import { failure } from '#driver';

const GIB = 1024 ** 3;

interface Sized {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * Holds a cap on the sum of all sizes while several things are made or grown at once. What is under way is counted in
 * memory with the size that it will have; a restart loses nothing, because then nothing is under way.
 */
export function createRoom({ capacityGb, list }: { capacityGb: number | null; list: () => Promise<readonly Sized[]> }) {
  const underWay = new Map<string, number>();
  let looking: Promise<unknown> = Promise.resolve();

  async function promise({ name, sizeBytes }: Sized, capacityBytes: number): Promise<void> {
    // One whose name is promised counts with its future size alone, whether its file is there yet or not.
    const others = (await list()).filter((file) => file.name !== name && !underWay.has(file.name));
    const otherBytes = sum(others.map((file) => file.sizeBytes)) + sum([...underWay.values()]);
    const freeBytes = Math.max(0, capacityBytes - otherBytes);
    if (sizeBytes > freeBytes) {
      throw failure('BackendFull', {
        freeGb: Math.floor(freeBytes / GIB),
        requestedGb: Math.ceil(sizeBytes / GIB),
      });
    }
    underWay.set(name, sizeBytes);
  }

  return {
    /** Does the work if the thing fits with its new size, else throws BackendFull. Without a cap everything fits. */
    async within<T>(thing: Sized, work: () => Promise<T>): Promise<T> {
      if (capacityGb === null) return await work();
      // One look at a time, so that two that ask for the last place do not both get it, nor both go without.
      const look = looking.then(() => promise(thing, capacityGb * GIB));
      looking = look.catch(() => {});
      await look;
      try {
        return await work();
      } finally {
        underWay.delete(thing.name);
      }
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
