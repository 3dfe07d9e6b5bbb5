/**
 * Compares one capability with one extra spec. The operators are Cinder's; words are compared without regard to case.
 * A spec without an operator asks for equality. Pure; never throws.
 */
export function matchesExtraSpec(capability: unknown, spec: string): boolean {
  const words = spec
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const operator = words[0] ?? '';
  if (operator === '<all-in>')
    return containsAll(
      capability,
      words.slice(1).filter((word) => word !== '<all-in>'),
    );
  // A capability may have several values (the spellings of a protocol): one that matches is enough.
  if (Array.isArray(capability)) return capability.some((value) => matchesExtraSpec(value, spec));
  if (operator === '<or>') return alternatives(words).some((word) => equals(capability, word));
  if (!Object.hasOwn(comparisons, operator)) return equals(capability, spec.trim().toLowerCase());
  const operand = words[1];
  if (operand === undefined || capability === null || capability === undefined) return false;
  return comparisons[operator]!(textOf(capability), operand);
}

const comparisons: Readonly<Record<string, (value: string, operand: string) => boolean>> = {
  // For numbers `=` asks for at least so much: the meaning that existing types rely on.
  '=': numeric((value, operand) => value >= operand),
  '==': numeric((value, operand) => value === operand),
  '!=': numeric((value, operand) => value !== operand),
  '>=': numeric((value, operand) => value >= operand),
  '<=': numeric((value, operand) => value <= operand),
  's==': (value, operand) => value === operand,
  's!=': (value, operand) => value !== operand,
  's<': (value, operand) => value < operand,
  's<=': (value, operand) => value <= operand,
  's>': (value, operand) => value > operand,
  's>=': (value, operand) => value >= operand,
  '<in>': (value, operand) => value.includes(operand),
  '<is>': (value, operand) => isTruthy(value) === isTruthy(operand),
};

/** `<or> a <or> b`: the words between the operators; several words up to the next one are one alternative. */
function alternatives(words: readonly string[]): string[] {
  return words
    .join(' ')
    .split('<or>')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function containsAll(capability: unknown, wanted: readonly string[]): boolean {
  if (capability === null || capability === undefined || wanted.length === 0) return false;
  const held = Array.isArray(capability) ? capability.map(textOf) : textOf(capability).split(/[\s,]+/);
  return wanted.every((word) => held.includes(word));
}

function equals(capability: unknown, wanted: string): boolean {
  if (capability === null || capability === undefined) return false;
  if (typeof capability === 'boolean') return BOOLEAN_WORDS.has(wanted) && isTruthy(wanted) === capability;
  if (typeof capability === 'number') return toNumber(wanted) === capability;
  return textOf(capability) === wanted;
}

function numeric(compare: (value: number, operand: number) => boolean): (value: string, operand: string) => boolean {
  return (value, operand) => {
    const left = toNumber(value);
    const right = toNumber(operand);
    return left !== null && right !== null && compare(left, right);
  };
}

/** `infinite` is a capacity's word for more than any number; `unknown` compares with nothing. */
function toNumber(text: string): number | null {
  if (text === 'infinite') return Number.POSITIVE_INFINITY;
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? null : value;
}

const TRUE_WORDS = new Set(['1', 't', 'true', 'on', 'y', 'yes']);
const BOOLEAN_WORDS = new Set([...TRUE_WORDS, '0', 'f', 'false', 'off', 'n', 'no']);

function isTruthy(text: string): boolean {
  return TRUE_WORDS.has(text);
}

function textOf(value: unknown): string {
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).toLowerCase();
}
