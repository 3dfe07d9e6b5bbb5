/** Readers for what `tgtadm --op show` prints. Pure. */

export interface ShownTarget {
  readonly tid: number;
  readonly iqn: string;
  readonly sessions: number;
  readonly units: readonly ShownUnit[];
  /** User names of incoming accounts. */
  readonly accounts: readonly string[];
  /** User names of outgoing accounts (the target names itself to the initiator). */
  readonly outgoingAccounts: readonly string[];
  /** Initiator addresses that may log in, `ALL` for any. */
  readonly addresses: readonly string[];
}

export interface ShownUnit {
  readonly lun: number;
  readonly serial: string;
  readonly scsiId: string;
  /** Millions of bytes, rounded: tgtd says no more. */
  readonly sizeMb: number;
  readonly thinProvisioning: boolean;
  readonly backingStoreType: string;
  readonly backingStorePath: string;
  readonly backingStoreFlags: string;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type TargetDraft = Omit<Draft<ShownTarget>, 'units'> & { units: Draft<ShownUnit>[] };

/** Reads `--mode target --op show`. Lines that it does not know are passed over: other versions print more. */
export function parseTargets(text: string): ShownTarget[] {
  const targets: TargetDraft[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    const target = targets.at(-1);
    // The depth tells what a line is; a listing may have a hundred thousand of them.
    if (!line.startsWith(' ')) {
      const head = /^Target (\d+): (.*)$/s.exec(line);
      if (head !== null) targets.push(emptyTarget(Number(head[1]), head[2]!));
      section = '';
    } else if (line[4] !== ' ') section = line.slice(4, -1);
    else if (target !== undefined) readSectionLine(target, section, line);
  }
  return targets;
}

const emptyTarget = (tid: number, iqn: string): TargetDraft => ({
  tid,
  iqn,
  sessions: 0,
  units: [],
  accounts: [],
  outgoingAccounts: [],
  addresses: [],
});

function readSectionLine(target: TargetDraft, section: string, line: string): void {
  if (section === 'I_T nexus information') {
    if (/^ {8}I_T nexus: /.test(line)) target.sessions += 1;
  } else if (section === 'LUN information') {
    if (line.startsWith('        LUN: ')) target.units.push(emptyUnit(Number(line.slice(13))));
    else readUnitLine(target.units.at(-1), line);
  } else if (section === 'Account information') {
    const account = /^ {8}(\S+)( \(outgoing\))?$/.exec(line);
    if (account !== null) (account[2] === undefined ? target.accounts : target.outgoingAccounts).push(account[1]!);
  } else if (section === 'ACL information') {
    if (/^ {8}\S/.test(line)) target.addresses.push(line.trim());
  }
}

const emptyUnit = (lun: number): Draft<ShownUnit> => ({
  lun,
  serial: '',
  scsiId: '',
  sizeMb: 0,
  thinProvisioning: false,
  backingStoreType: '',
  backingStorePath: '',
  backingStoreFlags: '',
});

function readUnitLine(unit: Draft<ShownUnit> | undefined, line: string): void {
  const colon = line.indexOf(': ');
  if (unit === undefined || colon < 12) return;
  const value = line.slice(colon + 2);
  switch (line.slice(12, colon)) {
    case 'SCSI ID':
      unit.scsiId = value;
      break;
    case 'SCSI SN':
      unit.serial = value;
      break;
    case 'Size':
      unit.sizeMb = Number.parseInt(value, 10);
      break;
    case 'Thin-provisioning':
      unit.thinProvisioning = value === 'Yes';
      break;
    case 'Backing store type':
      unit.backingStoreType = value;
      break;
    case 'Backing store path':
      unit.backingStorePath = value;
      break;
    case 'Backing store flags':
      unit.backingStoreFlags = value.trim();
      break;
  }
}

/** Reads `--mode account --op show`: the user names of all accounts that the daemon has. */
export function parseAccounts(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((name) => name !== '');
}

/** Reads `--mode portal --op show`: where the daemon listens, as `address:port`. */
export function parsePortals(text: string): string[] {
  return [...text.matchAll(/^Portal: (\S+),\d+$/gm)].map((match) => match[1]!);
}
