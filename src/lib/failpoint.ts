/**
 * Named fail points: places just around an external effect where a test can stop the process or make the step fail.
 *
 * Nothing happens at a point unless `armFailpoints` was called (only src/cmd does, from ASHLAR_FAILPOINTS). A point is
 * named after the effect, for example `exec.lvcreate.after` or `db.commit.before`.
 */
export interface FailpointPlan {
  /** Point name -> what happens on which hit (1 is the first). */
  readonly actions: ReadonlyMap<string, { readonly hit: number; readonly action: 'kill' | 'throw' }>;
  /** While this says no, nothing is counted, traced or done: a test opens it when the process is ready. */
  readonly gate?: () => boolean;
  /** Called with the name at every hit: how a test learns which points a request passes. */
  readonly trace?: (name: string) => void;
}

let plan: FailpointPlan | undefined;
const hits = new Map<string, number>();

/** Arms the given plan for the whole process; undefined disarms. */
export function armFailpoints(next: FailpointPlan | undefined): void {
  plan = next;
  hits.clear();
}

/** Marks one point. A no-op unless armed. Throws, or kills the process with SIGKILL, where the plan says so. */
export function failpoint(name: string): void {
  if (plan === undefined || plan.gate?.() === false) return;
  plan.trace?.(name);
  const count = (hits.get(name) ?? 0) + 1;
  hits.set(name, count);
  const armed = plan.actions.get(name);
  if (armed === undefined || armed.hit !== count) return;
  if (armed.action === 'kill') process.kill(process.pid, 'SIGKILL');
  throw new Error(`fail point ${name} (hit ${count})`);
}

/**
 * Parses `name[#hit]=kill|throw` entries, comma separated; `trace` entries are left to the caller.
 * Example: `exec.tgtadm.after#2=kill,db.commit.before=throw`.
 */
export function parseFailpoints(text: string): FailpointPlan['actions'] {
  const actions = new Map<string, { hit: number; action: 'kill' | 'throw' }>();
  for (const entry of text.split(',').filter((part) => part !== '')) {
    const match = /^([\w.-]+)(?:#(\d+))?=(kill|throw)$/.exec(entry);
    if (match === null) throw new Error(`ASHLAR_FAILPOINTS: cannot read '${entry}', expected name[#hit]=kill|throw`);
    actions.set(match[1]!, { hit: Number(match[2] ?? 1), action: match[3] as 'kill' | 'throw' });
  }
  return actions;
}
