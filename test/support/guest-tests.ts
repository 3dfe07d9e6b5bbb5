/** Test files of the checkout, run in the guest of a VM, and their results told here. */
import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { type KernelVm, resumeVm } from './kernel-vm.ts';

interface GuestTestResult {
  readonly name: string;
  readonly skip: string | boolean | null;
  /** What the test's error says, or null. */
  readonly failed: string | null;
  readonly durationMs: number;
}

const REPORTER = 'test/kernel/reporter.ts';

/** Runs a file (a path from the top of the checkout) in a fresh VM; each of its tests becomes one of `t`'s. */
export async function runInVm(
  t: TestContext,
  file: string,
  options: {
    readonly timeoutMs: number;
    readonly prepare?: (vm: KernelVm) => Promise<void>;
    readonly only?: string;
    readonly except?: string;
  },
): Promise<void> {
  const vm = await resumeVm({ guestTests: [file, REPORTER] });
  try {
    await options.prepare?.(vm);
    const argv = ['node', `--test-reporter=${inGuest(REPORTER)}`] as [string, ...string[]];
    if (options.only !== undefined) argv.push(`--test-name-pattern=${options.only}`);
    if (options.except !== undefined) argv.push(`--test-skip-pattern=${options.except}`);
    // /tmp is in the guest's small memory; the sparse disks of the tests belong on its disk.
    const command = { timeoutMs: options.timeoutMs, env: { TMPDIR: '/var/tmp' } };
    const { code, stdout, stderr, timedOut } = await vm.run([...argv, inGuest(file)], command);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    const results = lines.map((line) => JSON.parse(line) as GuestTestResult);
    for (const { name, skip, failed, durationMs } of results) {
      const reason = skip === null || skip === false ? {} : { skip: skip === true ? 'skipped in the VM' : skip };
      await t.test(`${name} (${durationMs} ms in the VM)`, reason, () => assert.ok(failed === null, failed ?? ''));
    }
    const said = `${stdout}\n${stderr}`.slice(-4000);
    assert.ok(!timedOut, `not done in ${options.timeoutMs} ms: ${said}`);
    assert.ok(
      results.some(({ skip }) => skip === null || skip === false),
      `no test ran: ${said}`,
    );
    // A file that breaks between its tests.
    assert.ok(code === 0 || results.some(({ failed }) => failed !== null), `${file} ended with ${code}: ${said}`);
  } finally {
    await vm.close();
  }
}

function inGuest(file: string): string {
  return `/opt/ashlar/test/kernel/${basename(dirname(file))}-${basename(file, '.ts')}.mjs`;
}
