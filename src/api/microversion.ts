/** Microversion negotiation: reads `OpenStack-API-Version`, says what to answer. Pure. */
import type { Microversion } from './route.ts';

export const MIN_MICROVERSION: Microversion = 0;
/** Cinder Zed's. Every difference that a version up to it makes to what is served here is handled. */
export const MAX_MICROVERSION: Microversion = 70;

export const MICROVERSION_HEADER = 'OpenStack-API-Version';

export type Negotiation =
  | { readonly kind: 'version'; readonly version: Microversion }
  /** Not a version at all: 400. */
  | { readonly kind: 'malformed'; readonly text: string }
  /** A version that is not served: 406. */
  | { readonly kind: 'unsupported'; readonly text: string };

/** What every answer to a version says; also the one that refuses it. `version` is `3.27`. */
export function microversionHeaders(version: string): Readonly<Record<string, string>> {
  return { [MICROVERSION_HEADER]: `volume ${version}`, Vary: MICROVERSION_HEADER };
}

/** `27` as `3.27`. */
export function formatMicroversion(version: Microversion): string {
  return `3.${version}`;
}

/**
 * Reads the header's value: `volume 3.27`, `volume latest`, or a comma separated list in which one entry is for
 * `volume`. Without an entry for `volume` the version is the oldest; an entry that names no service, or `Volume`, is
 * malformed, so that nobody gets the oldest by a slip.
 */
export function negotiateMicroversion(header: string | undefined): Negotiation {
  const parts = header?.split(',').map((part) => part.trim()) ?? [];
  const entries = parts.filter((part) => part !== '').map((part) => part.split(/\s+/));
  const entry = entries.find(([service]) => service === 'volume');
  if (entry === undefined) {
    const slip = entries.find((words) => words.length !== 2 || words[0]!.toLowerCase() === 'volume');
    if (slip !== undefined) return { kind: 'malformed', text: slip.join(' ') };
    return { kind: 'version', version: MIN_MICROVERSION };
  }
  const text = entry.slice(1).join(' ');
  if (text === 'latest') return { kind: 'version', version: MAX_MICROVERSION };
  const match = /^([1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text);
  if (match === null) return { kind: 'malformed', text };
  const minor = Number(match[2]);
  return match[1] === '3' && minor >= MIN_MICROVERSION && minor <= MAX_MICROVERSION
    ? { kind: 'version', version: minor }
    : { kind: 'unsupported', text };
}
