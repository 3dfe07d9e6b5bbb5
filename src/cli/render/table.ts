import { padEnd, textWidth, wrap } from './text.ts';

/** Columns narrower than this are never folded: an id in two pieces cannot be copied. */
const FOLD_ABOVE = 40;

/**
 * A box of ASCII as the field's clients draw it. A cell is a list of lines that hold no control characters.
 * `columns` is the terminal's width: wide columns are folded to fit it where they can be.
 */
export function renderTable(
  labels: readonly string[],
  rows: readonly (readonly (readonly string[])[])[],
  columns?: number,
): string {
  const widths = fit(
    labels.map((label, at) => Math.max(textWidth(label), ...rows.flatMap((row) => row[at]!.map(textWidth)))),
    columns,
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const body = rows.map((row) => renderRow(row, widths)).join('');
  return `${rule}${renderRow(
    labels.map((label) => [label]),
    widths,
  )}${rule}${body}${rows.length > 0 ? rule : ''}`;
}

function renderRow(cells: readonly (readonly string[])[], widths: readonly number[]): string {
  const folded = cells.map((lines, at) => lines.flatMap((line) => wrap(line, widths[at]!)));
  const height = Math.max(1, ...folded.map((lines) => lines.length));
  let text = '';
  for (let line = 0; line < height; line++) {
    text += `| ${folded.map((lines, at) => padEnd(lines[line] ?? '', widths[at]!)).join(' | ')} |\n`;
  }
  return text;
}

/** Takes the missing columns from the widest, until all fits or all that may be folded is at its least. */
function fit(widths: readonly number[], columns: number | undefined): number[] {
  const fitted = [...widths];
  if (columns === undefined) return fitted;
  let excess = fitted.reduce((sum, width) => sum + width + 3, 1) - columns;
  while (excess > 0) {
    const widest = Math.max(...fitted);
    if (widest <= FOLD_ABOVE) break;
    const next = Math.max(FOLD_ABOVE, ...fitted.filter((width) => width < widest));
    const among = fitted.filter((width) => width === widest).length;
    const cut = Math.min(widest - next, Math.ceil(excess / among));
    for (let at = 0; at < fitted.length; at++) if (fitted[at] === widest) fitted[at] = widest - cut;
    excess -= cut * among;
  }
  return fitted;
}
