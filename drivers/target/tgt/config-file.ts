/**
 * The file of one volume in volumes_dir, in the format of tgt's targets.conf: tgt-admin makes the same export from it when
 * the system starts tgtd. Pure.
 */

/** All that decides how a volume is exported. */
export interface WantedExport {
  readonly iqn: string;
  readonly devicePath: string;
  readonly lld: 'iscsi' | 'iser';
  readonly chap: { readonly username: string; readonly password: string } | null;
  readonly writeCache: 'on' | 'off';
  readonly bsoflags: string | null;
  /** SCSI serial and id: 32 hexadecimal digits. tgt makes the NAA designator of the id's digits. */
  readonly serial: string;
  /** Who may log in, by name; null for everybody who knows the password. */
  readonly initiators: readonly string[] | null;
}

const HEAD = '# Written by Ashlar from its database; changes here are overwritten.';
const UNSAFE_NOTE =
  '# tgt-admin would hand a value below to a shell that reads it otherwise, so this export is restored by Ashlar alone.';
const OFF = '#~ ';
const END = '</target>';
/** An address from which nobody comes: without any, tgt-admin lets in all of them beside the names. */
export const NOBODY = '255.255.255.255';

/** What tgtd binds for them: addresses and names. */
export function addressesOf(initiators: readonly string[] | null): readonly string[] {
  return initiators === null ? ['ALL'] : [NOBODY, ...initiators];
}

/**
 * tgt-admin pastes values into shell commands and its parser gives some characters a meaning of their own; a block with
 * any other character than these is written commented out. Ashlar reads it all the same.
 */
const SAFE_FOR_TGT_ADMIN = /^[\w .:@%+=,/~()-]*$/;

export function renderConfigFile(wanted: WantedExport): string {
  const lines = [
    `<target ${wanted.iqn}>`,
    `    backing-store ${wanted.devicePath}`,
    `    driver ${wanted.lld}`,
    '    bs-type rdwr',
    ...(wanted.bsoflags === null ? [] : [`    bsoflags ${wanted.bsoflags}`]),
    `    write-cache ${wanted.writeCache}`,
    `    scsi_id ${wanted.serial}`,
    `    scsi_sn ${wanted.serial}`,
    '    params thin_provisioning=1',
    ...(wanted.chap === null ? [] : [`    incominguser ${wanted.chap.username} ${wanted.chap.password}`]),
    ...initiatorLines(wanted.initiators),
    END,
  ];
  const values = [wanted.devicePath, wanted.chap?.username ?? '', wanted.chap?.password ?? ''];
  // Unquoted in tgt-admin's commands; a blank at an end or two in a row would not survive its parser either.
  const safe =
    values.every((value) => SAFE_FOR_TGT_ADMIN.test(value)) &&
    !/^ | $| {2}|[ ,]$/.test(wanted.devicePath) &&
    !/[ ()~]/.test(values.slice(1).join(''));
  return assemble(lines, safe);
}

/** Commented out where tgt-admin would make something else of it. */
function assemble(lines: readonly string[], safe: boolean): string {
  const body = safe ? lines : [UNSAFE_NOTE, ...lines.map((line) => OFF + line)];
  return `${[HEAD, ...body].join('\n')}\n`;
}

function initiatorLines(initiators: readonly string[] | null): readonly string[] {
  if (initiators === null) return [];
  return [`    initiator-address ${NOBODY}`, ...initiators.map((name) => `    initiator-name ${name}`)];
}

const INITIATOR = /^(?:#~ )?\s*initiator-name\s+(\S+)\s*$/;

/** Who may log in by name, as the file says. */
export function readInitiators(content: string): readonly string[] {
  return content.split('\n').flatMap((line) => INITIATOR.exec(line)?.[1] ?? []);
}

/** The file with these initiators instead. */
export function withInitiators(content: string, initiators: readonly string[]): string {
  const lines = content
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith(OFF) ? line.slice(OFF.length) : line))
    .filter((line) => ![HEAD, UNSAFE_NOTE, END, ...initiatorLines([])].includes(line) && !INITIATOR.test(line));
  return assemble([...lines, ...initiatorLines(initiators), END], !content.includes(UNSAFE_NOTE));
}
/** The credentials in a file that `renderConfigFile` (or Cinder) wrote; null where there are none, or none can be read. */
export function readCredentials(content: string): { readonly username: string; readonly password: string } | null {
  const match = /^(?:#~ )?\s*incominguser\s+(\S+)\s+"?(\S+?)"?\s*$/m.exec(content);
  return match === null ? null : { username: match[1]!, password: match[2]! };
}
