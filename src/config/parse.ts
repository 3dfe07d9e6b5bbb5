/**
 * The file format of oslo.config, so that an existing cinder.conf is read as it is.
 *
 * - `[group]` starts a group; the same group may start again.
 * - `name = value` or `name: value`, whichever sign comes first; a value in a matching pair of quotes loses them.
 * - A line that begins with white space continues the value above (joined by a newline), even one that looks like a
 *   comment; a blank line or a comment ends the value.
 * - `#` and `;` start a comment only in the first column.
 * - A name may stand several times: the last one counts, or all of them where the option is a multi option.
 */
export interface ConfigEntry {
  readonly group: string;
  readonly name: string;
  readonly value: string;
  readonly file: string;
  /** 1 is the first. */
  readonly line: number;
}

/** What could not be read. The text of the line is left out: it may hold a secret. */
export interface SyntaxFault {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface ParsedFile {
  /** In the order of the file, repeated names included. */
  readonly entries: readonly ConfigEntry[];
  readonly faults: readonly SyntaxFault[];
}

/** Reads the text of one file. Never throws: every fault is collected and the reading goes on at the next line. */
export function parseConfigText(text: string, file: string): ParsedFile {
  const entries: ConfigEntry[] = [];
  const faults: SyntaxFault[] = [];
  let group: string | null = null;
  let current: ConfigEntry | null = null;
  // A continuation below a line that was refused already is no second fault.
  let afterFault = false;

  const end = () => {
    if (current !== null) entries.push(current);
    current = null;
    afterFault = false;
  };

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const lineNumber = index + 1;
    const line = raw.trimEnd();
    const fault = (message: string) => {
      faults.push({ file, line: lineNumber, message });
      afterFault = true;
    };

    if (line === '') {
      end();
    } else if (/^[ \t]/.test(line)) {
      if (current !== null) current = { ...(current as ConfigEntry), value: `${current.value}\n${line.trimStart()}` };
      else if (!afterFault) fault('a line that begins with white space continues a value, but there is none above it');
    } else if (line.startsWith('#') || line.startsWith(';')) {
      end();
    } else if (line.startsWith('[')) {
      end();
      const header = readHeader(line);
      if ('group' in header) group = header.group;
      else fault(header.fault);
    } else {
      end();
      const assignment = readAssignment(line);
      if ('fault' in assignment) fault(assignment.fault);
      else if (group === null) fault(`'${assignment.name}' stands before the first [group]; put [DEFAULT] above it`);
      else current = { group, name: assignment.name, value: assignment.value, file, line: lineNumber };
    }
  }
  end();
  return { entries, faults };
}

function readHeader(line: string): { readonly group: string } | { readonly fault: string } {
  if (!line.endsWith(']')) return { fault: "a group's line must end with ]" };
  const group = line.slice(1, -1).trim();
  return group === '' ? { fault: 'the group has no name' } : { group };
}

function readAssignment(line: string): { readonly name: string; readonly value: string } | { readonly fault: string } {
  const at = line.search(/[=:]/);
  if (at === -1) return { fault: "neither 'name = value' nor [group] nor a comment" };
  const name = line.slice(0, at).trim();
  if (name === '') return { fault: 'a value without a name' };
  return { name, value: unquote(line.slice(at + 1).trim()) };
}

function unquote(value: string): string {
  const first = value[0];
  return (first === '"' || first === "'") && value.endsWith(first) ? value.slice(1, -1) : value;
}
