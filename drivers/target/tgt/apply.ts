import { readFile } from 'node:fs/promises';
import { type Logger, messageOf, writeFileAtomically } from '#driver';
import { dropAccounts, setAccount } from './accounts.ts';
import { addressesOf, renderConfigFile, type WantedExport } from './config-file.ts';
import type { Daemon } from './daemon.ts';
import type { Step } from './plan.ts';
import type { ShownTarget } from './show.ts';

export interface Subject {
  readonly wanted: WantedExport;
  readonly target: ShownTarget | null;
  /** The highest target number in the listing that `target` is from. */
  readonly lastTid: number;
  /** The path of its file, and what that says now. */
  readonly file: string;
  readonly content: string | null;
}

export interface Tools {
  readonly daemon: Daemon;
  readonly log: Logger;
  /** What the file of a target of ours says; null for another target, or without a file. */
  readonly contentOf: (iqn: string) => Promise<string | null>;
}

/** Takes the steps, in order. May be cut off anywhere: the next plan goes on from what it finds. */
export async function applySteps(steps: readonly Step[], subject: Subject, tools: Tools): Promise<void> {
  const { daemon, contentOf } = tools;
  const { wanted, target } = subject;
  let tid = target?.tid ?? 0;
  const actions: Record<Step, () => Promise<void>> = {
    close: () => daemon.close(tid, target?.addresses ?? []),
    'delete target': () => daemon.deleteTarget(tid),
    'write file': () => writeFile(steps, subject, tools),
    'create target': async () => {
      tid = await daemon.createTarget(wanted.iqn, subject.lastTid);
    },
    'delete unit': () => daemon.deleteUnit(tid),
    'create unit': () => daemon.createUnit(tid, wanted),
    'set attributes': () => daemon.setAttributes(tid, wanted),
    'drop accounts': () => dropAccounts(daemon, tid, wanted.chap?.username ?? null),
    'set account': () => setAccount(daemon, tid, wanted.chap!, contentOf),
    open: () => daemon.open(tid, addressesOf(wanted.initiators)),
  };
  for (const step of steps) await actions[step]();
}

function wasOpenTo({ addresses }: ShownTarget, { initiators }: WantedExport): boolean {
  return initiators === null ? addresses.includes('ALL') : addresses.length > 0;
}

/** A file that cannot be written must not leave an export closed that worked: opens it again, all being as it was. */
async function writeFile(steps: readonly Step[], subject: Subject, { daemon, log }: Tools): Promise<void> {
  const { wanted, target, file, content } = subject;
  try {
    await writeFileAtomically(file, renderConfigFile(wanted));
  } catch (error) {
    const unchanged = (await readIfThere(file).catch(() => undefined)) === content;
    const wasOpen = target !== null && wasOpenTo(target, wanted);
    if (unchanged && wasOpen && steps.includes('close') && !steps.includes('delete target')) {
      await daemon.open(target.tid, target.addresses).catch((cause: unknown) => {
        log.error({ iqn: wanted.iqn, error: messageOf(cause) }, 'target stays closed to new logins');
      });
    }
    throw error;
  }
}

export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
