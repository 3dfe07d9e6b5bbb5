import { currentCapabilities } from '../pool-state.ts';
import { matchesExtraSpec } from './extra-spec-operators.ts';
import { type Filter, pass, refuse, type Verdict } from './filter.ts';

/** The pool can do what the volume's type asks for in its extra specs. */
export const capabilitiesFilter: Filter = {
  name: 'CapabilitiesFilter',
  check: ({ pool }, { extraSpecs }) => checkExtraSpecs(currentCapabilities(pool), extraSpecs),
};

/**
 * Compares capabilities with extra specs. Only keys without a scope and those of the scope `capabilities:` count, every
 * other scope is for a driver or another part; further colons lead into nested capabilities.
 */
export function checkExtraSpecs(
  capabilities: Readonly<Record<string, unknown>>,
  extraSpecs: Readonly<Record<string, string>>,
): Verdict {
  for (const [key, spec] of Object.entries(extraSpecs)) {
    const path = key.split(':');
    if (path[0] === 'capabilities' && path.length > 1) path.shift();
    else if (path.length > 1) continue;
    const value = lookUp(capabilities, path);
    if (value === undefined) return refuse(`does not report ${path.join(':')}, the type asks for '${spec}'`);
    if (!matchesExtraSpec(value, spec)) {
      return refuse(`has ${path.join(':')} ${shown(value)}, the type asks for '${spec}'`);
    }
  }
  return pass;
}

function lookUp(capabilities: unknown, path: readonly string[]): unknown {
  let value = capabilities;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
