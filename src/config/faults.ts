/** One thing wrong in the configuration, and where. `file` is null where it is not in a file. */
export interface ConfigFault {
  readonly file: string | null;
  readonly line: number | null;
  readonly group: string | null;
  readonly option: string | null;
  readonly message: string;
}

/** Everything that is wrong with a configuration, at once: one line each, with file, line and option. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'InvalidConfiguration';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    super(`The configuration has ${count}:\n${faults.map((fault) => `  ${faultText(fault)}`).join('\n')}`);
    this.faults = faults;
  }
}

/** `ashlar.conf:12: [lvm] lvm_type: …`, as far as each part is known. */
export function faultText(fault: ConfigFault): string {
  const option = fault.group === null ? '' : `[${fault.group}] ${fault.option}: `;
  return `${placeText(fault)}${option}${fault.message}`;
}

/** `file:line: `; empty without a file, without the line where there is none. */
export function placeText(place: { readonly file: string | null; readonly line: number | null }): string {
  if (place.file === null) return '';
  return place.line === null || place.line === 0 ? `${place.file}: ` : `${place.file}:${place.line}: `;
}
