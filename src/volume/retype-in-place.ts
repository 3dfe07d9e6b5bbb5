/** Whether a volume can have another type without being moved or made anew. Pure. */
import type { Volume } from '../model/volume.ts';

type Specs = Readonly<Record<string, string>>;

/** Null where nothing speaks against it; else a sentence without a subject's name. */
export function whyNotInPlace(wish: {
  readonly volume: Volume;
  /** `host@backend#pool` that was chosen for the new type. */
  readonly host: string;
  readonly before: Specs;
  readonly after: Specs;
  readonly isEncrypted: boolean;
  readonly isInUse: boolean;
}): string | null {
  const { volume, before, after } = wish;
  if (wish.host !== volume.host) {
    return `it would have to move to ${wish.host}. Create a volume of that type and copy the bytes`;
  }
  if (wish.isEncrypted) return 'encrypted volumes are not served by this backend. Choose a type without encryption';
  if (wish.isInUse && isMultiattach(before) !== isMultiattach(after)) {
    return 'whether several may attach it cannot change while it is attached. Detach it first';
  }
  const needs = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(isOfTheBackend);
  const different = needs.filter((key) => before[key] !== after[key]).sort();
  if (different.length === 0) return null;
  return `the types differ in ${different.join(', ')}, which decides how it is made. Create a volume of that type and copy the bytes`;
}

export function isMultiattach(specs: Specs): boolean {
  return /^(<is>\s*)?true$/i.test((specs.multiattach ?? '').trim());
}

/** Keys of a scope say how a volume is made; the others only where, and a scheduler has compared those. */
function isOfTheBackend(key: string): boolean {
  return key.includes(':') && !key.startsWith('capabilities:');
}
