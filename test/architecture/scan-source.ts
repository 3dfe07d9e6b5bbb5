/** What the rules need to know of one file. Paths are from the checkout's root, with slashes. */
export interface ScannedFile {
  readonly path: string;
  readonly lines: number;
  /** Specifiers as written: of imports, exports from elsewhere, dynamic imports, types and values alike. */
  readonly imports: readonly string[];
  /** Names among `env` and `argv` that it takes from the process. */
  readonly processReads: readonly string[];
}

/** Reads what matters from the text of a file. Pure; relies on the formatter's shape of import statements. */
export function scanSource(path: string, text: string): ScannedFile {
  const { code, bare } = blankOut(text);
  const imports = importPatterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!));
  const processReads = [
    ...[...bare.matchAll(/\bprocess\s*\??\.\s*(env|argv)\b/g)].map((match) => match[1]!),
    ...[...code.matchAll(/\bprocess\s*\[\s*['"](env|argv)['"]/g)].map((match) => match[1]!),
    ...[...code.matchAll(/^[ \t]*import\s+\{([^}]*)\}\s+from\s+['"](?:node:)?process['"]/gm)].flatMap(
      (match) => match[1]!.match(/\b(?:env|argv)\b/g) ?? [],
    ),
  ];
  return { path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), imports, processReads };
}

const importPatterns: readonly RegExp[] = [
  /^[ \t]*import\s+(?:type\s+)?[\w$*\s{},]+?\s*from\s*['"]([^'"\n]+)['"]/gm,
  /^[ \t]*import\s*['"]([^'"\n]+)['"]/gm,
  /^[ \t]*export\s+(?:type\s+)?(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})\s*from\s*['"]([^'"\n]+)['"]/gm,
  /\b(?:import|require)\(\s*['"`]([^'"`\n]+)['"`]/g,
];

/**
 * The text with comments blanked (`code`), and with the content of strings blanked as well (`bare`). Positions and line
 * breaks stay. A slash starts a regular expression where no value can stand before it.
 */
export function blankOut(text: string): { readonly code: string; readonly bare: string } {
  const token =
    /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?<template>`(?:\\[\s\S]|[^`\\])*`)|(?<=(?:^|[(,=:[!&|?{};>]|\breturn)\s*)(?<regex>\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/)/gm;
  const blank = (part: string) => part.replaceAll(/[^\n]/g, ' ');
  const code = text.replace(token, (whole, ...rest) => {
    const { comment, regex } = rest.at(-1) as Record<string, string | undefined>;
    return comment !== undefined || regex !== undefined ? blank(whole) : whole;
  });
  const bare = text.replace(token, (whole, ...rest) => {
    const { template } = rest.at(-1) as Record<string, string | undefined>;
    // What stands in ${…} is code.
    return template === undefined ? blank(whole) : whole.replaceAll(/(?<=^|\})[^}]*?(?=\$\{|`$)/g, blank);
  });
  return { code, bare };
}
