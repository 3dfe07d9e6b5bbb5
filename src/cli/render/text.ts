/** How text looks on a terminal: what is safe to send there, and how many columns it takes. Pure. */

/**
 * Characters that would do something instead of showing something: C0 and C1 controls, line and paragraph separators,
 * marks that turn the direction of writing, and halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Replaces each unsafe character by a visible escape (`\n`, `\x1b`, `\u202e`), so that a name stays on its line. */
export function escapeControls(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0)!;
    return short[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

/** The same for text that is JSON already: `\u001b` is still JSON, and still means the character. */
export function escapeControlsInJson(json: string): string {
  return json.replace(unsafe, (character) =>
    character === '\n' ? character : `\\u${hex(character.codePointAt(0)!, 4)}`,
  );
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Terminal columns of a text that holds no control characters. Emoji and East Asian wide characters take two. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return graphemesOf(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** Pads with spaces on the right to the given number of columns. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** Cuts to at most the given number of columns; what was cut ends in `…`. */
export function truncate(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  return columns < 1 ? '' : `${headOf(text, columns - 1)}…`;
}

/** Splits into lines of at most the given number of columns, at a space or comma where one is near the end. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (textWidth(rest) > columns) {
    // At least one character a line, however narrow the column.
    const head = headOf(rest, columns) || graphemesOf(rest)[0]!;
    const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf(','));
    const cut = space > head.length / 2 ? space + 1 : head.length;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  lines.push(rest);
  return lines;
}

/** The longest head that fits. */
function headOf(text: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const grapheme of graphemesOf(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns) break;
    head += grapheme;
  }
  return head;
}

let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u;
const emoji = /^\p{Emoji_Presentation}|^\p{Emoji}\ufe0f/u;
/** East_Asian_Width W and F, by block: CJK, Hangul, kana, Yi, full-width forms, supplementary ideographs. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

function graphemeWidth(grapheme: string): number {
  if (zeroWidth.test(grapheme)) return 0;
  // The half-width voicing marks belong to the grapheme before them, and yet take a column of their own.
  const marks = grapheme.length === 1 ? 0 : (grapheme.match(/[\uff9e\uff9f]/g)?.length ?? 0);
  return marks + (emoji.test(grapheme) || wide.test(grapheme) ? 2 : 1);
}
