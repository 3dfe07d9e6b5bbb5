/** What /proc/net/iet/volume and /proc/net/iet/session say. Pure. */

export interface ShownTarget {
  readonly tid: number;
  readonly iqn: string;
  /** Logical units by number: the device's path. */
  readonly units: ReadonlyMap<number, string>;
}

export interface ShownSession {
  readonly tid: number;
  readonly sid: string;
  readonly cids: readonly string[];
}

/** `tid:1 name:IQN`, and below it `lun:0 state:0 iotype:fileio iomode:wt blocks:… blocksize:512 path:/dev/x`. */
export function parseVolumes(text: string): readonly ShownTarget[] {
  const targets: { tid: number; iqn: string; units: Map<number, string> }[] = [];
  for (const line of text.split('\n')) {
    const target = /^tid:(\d+) name:(\S+)/.exec(line);
    if (target !== null) targets.push({ tid: Number(target[1]), iqn: target[2]!, units: new Map() });
    const unit = /^\s+lun:(\d+) .*?path:(.*)$/.exec(line);
    if (unit !== null) targets.at(-1)?.units.set(Number(unit[1]), unit[2]!);
  }
  return targets;
}

/** `tid:1 name:IQN`, below it `sid:… initiator:IQN`, below that `cid:0 ip:… state:active …`. */
export function parseSessions(text: string): readonly ShownSession[] {
  const sessions: { tid: number; sid: string; cids: string[] }[] = [];
  let tid = 0;
  for (const line of text.split('\n')) {
    tid = Number(/^tid:(\d+) /.exec(line)?.[1] ?? tid);
    const session = /^\s+sid:(\d+) /.exec(line);
    if (session !== null) sessions.push({ tid, sid: session[1]!, cids: [] });
    const connection = /^\s+cid:(\d+) /.exec(line);
    if (connection !== null) sessions.at(-1)?.cids.push(connection[1]!);
  }
  return sessions;
}
