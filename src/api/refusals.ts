/**
 * The last requests that this process refused or failed at, for `ashlar why`: a request that was refused leaves no
 * record. Kept in memory, bounded; names, ids and reasons only.
 */
export interface Refusal {
  readonly at: string;
  readonly request_id: string;
  readonly project_id: string | null;
  /** `POST /volumes`. */
  readonly request: string;
  readonly code: string;
  readonly reason: string;
  /** The ids and the name that the request's URL and body hold. */
  readonly about: readonly string[];
}

const KEPT = 200;
const MOST_WORDS = 20;
const kept: Refusal[] = [];

export function rememberRefusal(refusal: Refusal): void {
  kept.push(refusal);
  if (kept.length > KEPT) kept.shift();
}

/** Those that are about one of the names or ids, newest first. */
export function refusalsAbout(namesOrIds: readonly string[]): readonly Refusal[] {
  const wanted = new Set(namesOrIds);
  return kept.filter(({ about }) => about.some((word) => wanted.has(word))).toReversed();
}

/** What a request is about: the values of its path, and what its body calls name or id, two levels deep. */
export function subjectsOf(params: unknown, body: unknown): readonly string[] {
  const words = [...texts(params, () => true)];
  if (isRecord(body)) {
    for (const value of Object.values(body)) words.push(...texts(value, (key) => /^name$|id$|uuid$/i.test(key)));
  }
  return [...new Set(words)].slice(0, MOST_WORDS);
}

function texts(value: unknown, wanted: (key: string) => boolean): string[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' && wanted(key) ? [text] : []));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
