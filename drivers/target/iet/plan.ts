/** From what should be exported and what ietd has to its commands. Pure. A target without its unit exports nothing. */
import { type Argv, createTarget, createUnit, deleteConnection, deleteTarget, deleteUnit } from './commands.ts';
import type { ShownSession, ShownTarget } from './proc.ts';

/** The logical unit that Cinder gives ietd's initiators. */
export const LUN = 0;

export interface WantedExport {
  readonly iqn: string;
  readonly devicePath: string;
  readonly ioType: string;
}

export function planExport(
  wanted: WantedExport,
  targets: readonly ShownTarget[],
  sessions: readonly ShownSession[],
): readonly Argv[] {
  const target = targets.find(({ iqn }) => iqn === wanted.iqn);
  const tid = target?.tid ?? Math.max(0, ...targets.map((each) => each.tid)) + 1;
  const path = target?.units.get(LUN);
  if (path === wanted.devicePath) return [];
  return [
    ...(target === undefined ? [createTarget(tid, wanted.iqn)] : []),
    // Another device's bytes: whoever is logged in must not go on with them.
    ...(path === undefined ? [] : [...endSessions(tid, sessions), deleteUnit(tid, LUN)]),
    createUnit(tid, LUN, wanted.devicePath, wanted.ioType),
  ];
}

export function planRemoval(
  iqn: string,
  targets: readonly ShownTarget[],
  sessions: readonly ShownSession[],
): readonly Argv[] {
  const target = targets.find((each) => each.iqn === iqn);
  if (target === undefined) return [];
  return [
    ...endSessions(target.tid, sessions),
    ...[...target.units.keys()].map((lun) => deleteUnit(target.tid, lun)),
    deleteTarget(target.tid),
  ];
}

function endSessions(tid: number, sessions: readonly ShownSession[]): readonly Argv[] {
  return sessions
    .filter((session) => session.tid === tid)
    .flatMap(({ sid, cids }) => cids.map((cid) => deleteConnection(tid, sid, cid)));
}
