/**
 * CHAP accounts. They are global in tgtd, by user name; a target without one lets everybody in that its addresses let
 * in. So all of this is for targets that are closed, and an account that another target uses is never deleted.
 */
import { type ChapCredentials, failure } from '#driver';
import { readCredentials } from './config-file.ts';
import type { Daemon } from './daemon.ts';
import type { ShownTarget } from './show.ts';

/** Gives the closed target the account, with this password. `fileOf` answers the file of a target of ours, null for others. */
export async function setAccount(
  daemon: Daemon,
  tid: number,
  chap: ChapCredentials,
  fileOf: (iqn: string) => Promise<string | null>,
): Promise<void> {
  await daemon.withAccounts(async () => {
    if (!(await daemon.createAccount(chap))) {
      const others = (await daemon.show()).filter((other) => other.tid !== tid && uses(other, chap.username));
      if (others.length > 0) await mustShare(chap, others, fileOf);
      else await replaceAccount(daemon, chap);
    }
    await daemon.bindAccount(tid, chap.username);
  });
}

/** Its password cannot be asked for, so it is made again. Only logins need an account, sessions do not. */
async function replaceAccount(daemon: Daemon, chap: ChapCredentials): Promise<void> {
  await daemon.deleteAccount(chap.username);
  if (await daemon.createAccount(chap)) return;
  const reason = `somebody else makes tgt accounts named ${chap.username}. Find out who, then try again.`;
  throw failure('VolumeBackendAPIException', { reason });
}

async function mustShare(
  chap: ChapCredentials,
  others: readonly ShownTarget[],
  fileOf: (iqn: string) => Promise<string | null>,
): Promise<void> {
  for (const { iqn } of others) {
    const known = readCredentials((await fileOf(iqn)) ?? '');
    if (known?.username === chap.username && known.password === chap.password) continue;
    const reason = `the CHAP user name ${chap.username} is in use by ${iqn} with another password. Use another name.`;
    throw failure('VolumeBackendAPIException', { reason });
  }
}

/** Takes all accounts but one from the closed target, and out of tgtd where no other target uses them. */
export async function dropAccounts(daemon: Daemon, tid: number, except: string | null): Promise<void> {
  await daemon.withAccounts(async () => {
    const targets = await daemon.show();
    const names = targets.find((target) => target.tid === tid)?.accounts ?? [];
    for (const name of names.filter((each) => each !== except)) {
      if (targets.some((other) => other.tid !== tid && uses(other, name))) await daemon.unbindAccount(tid, name);
      else await daemon.deleteAccount(name);
    }
  });
}

/** Deletes the target, and every account of it, or named in its file, that no other target uses. */
export async function deleteTargetAndAccounts(daemon: Daemon, iqn: string, file: string | null): Promise<void> {
  await daemon.withAccounts(async () => {
    const targets = await daemon.show();
    const target = targets.find((each) => each.iqn === iqn);
    if (target !== undefined) await daemon.deleteTarget(target.tid);
    const written = readCredentials(file ?? '')?.username;
    const names = [target?.accounts ?? [], target?.outgoingAccounts ?? [], written ?? []].flat();
    for (const name of new Set(names)) {
      if (!targets.some((other) => other !== target && uses(other, name))) await daemon.deleteAccount(name);
    }
  });
}

function uses({ accounts, outgoingAccounts }: ShownTarget, name: string): boolean {
  return accounts.includes(name) || outgoingAccounts.includes(name);
}
