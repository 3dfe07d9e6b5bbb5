const SECRET_WORD = /pass(?:word|wd)?|secret|token/i;
const MASK = '***';

/**
 * argv for a log line. By contract no secret is in argv; this hides the usual shapes all the same: the value after a
 * `--password` flag, `password=…` inside an argument, the password of a URL.
 */
export function maskArguments(argv: readonly string[]): string[] {
  return argv.map((argument, index) => {
    const flag = argv[index - 1];
    const follows = flag?.startsWith('-') === true && SECRET_WORD.test(flag) && !flag.includes('=');
    return follows ? MASK : maskText(argument);
  });
}

/** A text (a tool's stderr) with `password=…`, `password: …` and passwords in URLs hidden. */
export function maskText(text: string): string {
  return text
    .replace(/((?:pass(?:word|wd)?|secret|token)\w*\s*[=:]\s*)([^\s,;]+)/gi, `$1${MASK}`)
    .replace(/(\w:\/\/[^\s/:@%]*[:%])([^\s/@]+)(@)/g, `$1${MASK}$3`);
}
