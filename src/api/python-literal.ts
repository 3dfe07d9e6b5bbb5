/** Reads `{'key': 'value'}` as Python writes a dict of texts: the form in which its clients put metadata into a query. Pure. */

/** Null for anything but a flat dict of texts; JSON's form is taken too, being a dict in double quotes. */
export function parseTextDict(source: string): Readonly<Record<string, string>> | null {
  const tokens = tokenize(source.trim());
  if (tokens === null || tokens[0] !== '{' || tokens.at(-1) !== '}') return null;
  const inner = tokens.slice(1, -1);
  const result = new Map<string, string>();
  for (let at = 0; at < inner.length; at += 4) {
    const [key, colon, value, comma] = inner.slice(at, at + 4);
    const isLast = at + 3 >= inner.length;
    if (!isText(key) || colon !== ':' || !isText(value) || (comma !== ',' && !isLast)) return null;
    result.set(key.text, value.text);
  }
  return Object.fromEntries(result);
}

interface Text {
  readonly text: string;
}
type Token = Text | '{' | '}' | ':' | ',';

function isText(token: Token | undefined): token is Text {
  return typeof token === 'object';
}

/** `u` before a quote is Python 2's mark of unicode text. */
const TOKEN = /\s*(?:([{}:,])|u?'((?:[^'\\]|\\.)*)'|u?"((?:[^"\\]|\\.)*)")\s*/suy;

function tokenize(source: string): Token[] | null {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < source.length) {
    const match = pattern.exec(source);
    if (match === null) return null;
    const mark = match[1] as Token | undefined;
    tokens.push(mark ?? { text: unescapeText(match[2] ?? match[3] ?? '') });
  }
  return tokens;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

function unescapeText(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gsu,
    (whole, x?: string, u?: string, wide?: string, other?: string) => {
      const hex = x ?? u ?? wide;
      if (hex === undefined) return escapes[other!] ?? other!;
      const code = Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
