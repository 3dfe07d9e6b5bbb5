import { failure } from '#driver';

/** The two folders of the driver's directory, which say what a file is. */
export const folders = { volume: 'volumes', snapshot: 'snapshots' } as const;
export type Kind = keyof typeof folders;

/** A backend name that can be nothing but a file in our folder: no separator, no leading dot, no control character. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}$/;
/** What ends the name of everything that we make: files without an id are not ours. */
const ENDS_IN_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Throws InvalidInput for a name that might leave the folder, or that `isOurs` would not find again. */
export function checkName(name: string): string {
  if (isOurs(name)) return name;
  throw failure('InvalidInput', {
    reason:
      `'${name}' cannot be a file's name here: letters, digits and _ . + - only, ending in the id. ` +
      'Set volume_name_template and snapshot_name_template to such names.',
  });
}

/** True for a name that the driver may have made. */
export function isOurs(name: string): boolean {
  return SAFE_NAME.test(name) && ENDS_IN_ID.test(name);
}

/** The file beside `name` in which it is made, before it gets its name. Never listed: it starts with a dot. */
export function unfinishedName(name: string): string {
  return `.unfinished-${checkName(name)}`;
}
