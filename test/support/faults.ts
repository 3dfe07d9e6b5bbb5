/** Makes any method of a driver or target fail before or after its effect, or wait. */

export interface Faults {
  /** Every call so far, as `driver.createVolume`. */
  readonly calls: string[];
  /** From now on this call throws: `before` without its effect, `after` with it; the given number of times. */
  fail(call: string, when: 'before' | 'after', times?: number, error?: Error): void;
  /** The next such call waits, after `reached` settles, until `release` is called. */
  hold(call: string): { readonly reached: Promise<void>; release(): void };
  clear(): void;
}

export const BROKEN = 'broken on purpose';

export function createFaults(): Faults & { wrap<T extends object>(prefix: string, object: T): T } {
  const calls: string[] = [];
  const plans = new Map<string, { when: 'before' | 'after'; left: number; error: Error }>();
  const gates = new Map<string, { arrive(): void; readonly opened: Promise<void> }>();

  const maybeFail = (call: string, when: 'before' | 'after') => {
    const plan = plans.get(call);
    if (plan === undefined || plan.when !== when || plan.left <= 0) return;
    plan.left -= 1;
    throw plan.error;
  };
  const enter = async (call: string) => {
    calls.push(call);
    const gate = gates.get(call);
    gates.delete(call);
    gate?.arrive();
    await gate?.opened;
    maybeFail(call, 'before');
  };
  return {
    calls,
    fail: (call, when, times = Number.POSITIVE_INFINITY, error = new Error(BROKEN)) => {
      plans.set(call, { when, left: times, error });
    },
    hold(call) {
      const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      gates.set(call, { arrive: reached.resolve, opened: opened.promise });
      return { reached: reached.promise, release: opened.resolve };
    },
    clear() {
      plans.clear();
      gates.clear();
      calls.length = 0;
    },
    wrap: (prefix, object) =>
      new Proxy(object, {
        get(from, name) {
          const value = Reflect.get(from, name);
          if (typeof value !== 'function' || typeof name !== 'string') return value;
          return async (...args: unknown[]) => {
            const call = `${prefix}.${name}`;
            await enter(call);
            const result = await value.apply(from, args);
            maybeFail(call, 'after');
            return result;
          };
        },
      }),
  };
}
