import { appendFileSync, existsSync } from 'node:fs';
import { armFailpoints, parseFailpoints } from '../lib/failpoint.ts';

/**
 * ASHLAR_FAILPOINTS: what happens at which point (src/lib/failpoint.ts). ASHLAR_FAILPOINT_TRACE: a file that gets the
 * name of each point that is passed, one a line, written before the point acts. ASHLAR_FAILPOINT_GATE: a file; only while it exists does anything
 * happen. For tests only.
 */
export function armFromEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  const { ASHLAR_FAILPOINTS: points, ASHLAR_FAILPOINT_TRACE: traceFile, ASHLAR_FAILPOINT_GATE: gateFile } = env;
  if (points === undefined && traceFile === undefined) return;
  armFailpoints({
    actions: parseFailpoints(points ?? ''),
    ...(gateFile === undefined ? {} : { gate: () => existsSync(gateFile) }),
    ...(traceFile === undefined ? {} : { trace: (name: string) => appendFileSync(traceFile, `${name}\n`) }),
  });
}
