/** Runs in the guest: a line of JSON for each test that has ended, for test/support/guest-tests.ts. */
import type { TestEvent } from 'node:test/reporters';

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, details, skip } = event.data;
    const isSuite = details.type === 'suite';
    const error = 'error' in details ? (details.error as Error & { readonly failureType?: string }) : undefined;
    if (isSuite && error?.failureType !== 'hookFailed') continue;
    const cause = error?.cause;
    const failed = error === undefined ? null : cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    yield `${JSON.stringify({ name, skip: skip ?? null, failed, durationMs: Math.round(details.duration_ms) })}\n`;
  }
}
