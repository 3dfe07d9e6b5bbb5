/**
 * Files as root: @mkdir PATH, @write PATH [VALUE] (without: on stdin), @link TARGET PATH, @remove PATH, @read PATH. The path is
 * walked one directory at a time, each opened in the one before and never through a symlink, so nobody can lead it away
 * between the check and the act. Each is idempotent.
 */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';

const { O_RDONLY, O_WRONLY, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const MAX_VALUE_BYTES = 4096;
const MAX_READ_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const CONTROLS = /[^ -~\u0080-\uffff]/;

type Verb = (paths: readonly string[], input: Buffer) => Buffer;

export const fileVerbs: Readonly<Record<string, Verb>> = {
  '@mkdir': ([path]) => atEntry(path, (entry) => idempotent('EEXIST', () => fs.mkdirSync(entry, 0o755))),
  '@write': ([path, word], stdin) => {
    // A secret comes on stdin; what the filters judge comes as a word.
    const input = word === undefined ? stdin : Buffer.from(word);
    // A value is one line: a second one could be a second setting. Tools of files end theirs with a newline; configfs must not.
    if (input.length > MAX_VALUE_BYTES || CONTROLS.test(input.toString('latin1'))) {
      throw new Error(`a value is one line without control characters, ${MAX_VALUE_BYTES} bytes at the most`);
    }
    return withPlainFile(path, O_WRONLY | O_CREAT, (fd) => {
      idempotent('EINVAL', () => fs.ftruncateSync(fd));
      if (fs.writeSync(fd, input) !== input.length) throw new Error('the value was not taken whole');
      return NOTHING;
    });
  },
  '@link': ([target, path]) =>
    atEntry(path, (entry) => {
      idempotent('EEXIST', () => fs.symlinkSync(target!, entry));
      // configfs says it from where the link is.
      const said = resolve(dirname(path!), fs.readlinkSync(entry));
      if (said !== target) throw new Error('there is something else of that name');
      return NOTHING;
    }),
  '@remove': ([path]) =>
    atEntry(path, (entry) =>
      idempotent('ENOENT', () => (fs.lstatSync(entry).isDirectory() ? fs.rmdirSync(entry) : fs.unlinkSync(entry))),
    ),
  '@read': ([path]) =>
    withPlainFile(path, O_RDONLY, (fd) => {
      const bytes = Buffer.alloc(MAX_READ_BYTES);
      let length = 0;
      for (let count = -1; count !== 0 && length < bytes.length; length += count) {
        count = fs.readSync(fd, bytes, length, bytes.length - length, null);
      }
      return bytes.subarray(0, length);
    }),
};

/** Does it; that error means it is done already. */
function idempotent(code: string, act: () => void): Buffer {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  }
  return NOTHING;
}

/** Calls back with a name for the path's last part that leads nowhere else; its directories are held open meanwhile. */
function atEntry(path: string | undefined, act: (entry: string) => Buffer): Buffer {
  const [root, ...names] = path?.split('/') ?? [];
  const isPlain = names.every((name) => name !== '' && name !== '.' && name !== '..' && !CONTROLS.test(name));
  if (root !== '' || names.length === 0 || !isPlain) throw new Error('it is no plain absolute path');
  let at = '/';
  const opened: number[] = [];
  try {
    for (const name of names.slice(0, -1)) {
      opened.push(fs.openSync(at + name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      at = `/proc/self/fd/${opened.at(-1)}/`;
    }
    return act(at + names.at(-1));
  } finally {
    opened.forEach(fs.closeSync);
  }
}

/** No symlink, fifo or device, and no second name of another file: somebody may have put that there. */
function withPlainFile(path: string | undefined, flags: number, act: (fd: number) => Buffer): Buffer {
  return atEntry(path, (entry) => {
    const fd = fs.openSync(entry, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile() || stat.nlink !== 1) throw new Error('it is no plain file with one name');
      return act(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}
