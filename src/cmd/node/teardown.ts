import { messageOf } from '../../model/errors.ts';

/** What has been started, to be stopped in reverse; each step has its own limit inside. */
export interface Teardown {
  defer(what: string, stop: () => Promise<unknown>): void;
  /** Runs every step once, also after one failed. */
  run(say: (line: string) => void): Promise<void>;
}

export function createTeardown(): Teardown {
  const steps: { what: string; stop: () => Promise<unknown> }[] = [];
  return {
    defer: (what, stop) => {
      steps.push({ what, stop });
    },
    async run(say) {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          await step.stop();
        } catch (error) {
          say(`${step.what} did not stop cleanly: ${messageOf(error)}`);
        }
      }
    },
  };
}
