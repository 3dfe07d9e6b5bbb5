/** Who PostgreSQL runs as. It refuses root, and it refuses a user that has no entry in /etc/passwd. */

export interface MappedUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Null where the user can run it as it is. Else the account as which it runs in a user namespace of its own: on disk
 * its files still belong to the real user. Any account will do, so the first of /etc/passwd that is not root is taken;
 * `nobody` only if there is no other, because files of unknown owners look like nobody's there.
 */
export function userForPostgres(passwd: string, uid: number): MappedUser | null {
  const accounts = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4 && /^\d+$/.test(fields[2]!) && /^\d+$/.test(fields[3]!))
    .map((fields) => ({ uid: Number(fields[2]), gid: Number(fields[3]) }));
  if (uid !== 0 && accounts.some((account) => account.uid === uid)) return null;
  const others = accounts.filter((account) => account.uid !== 0);
  return others.find((account) => account.uid !== NOBODY) ?? others[0] ?? { uid: NOBODY, gid: NOBODY };
}

const NOBODY = 65534;
