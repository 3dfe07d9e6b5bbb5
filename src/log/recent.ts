/** The last warnings and errors of this process, for its state report: as they were logged, so without secrets. */
export interface RecentProblem {
  readonly at: string;
  readonly level: 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const KEPT = 50;
const kept: RecentProblem[] = [];

export function rememberProblem(problem: RecentProblem): void {
  kept.push(problem);
  if (kept.length > KEPT) kept.shift();
}

/** Newest first. */
export function recentProblems(): readonly RecentProblem[] {
  return kept.toReversed();
}
