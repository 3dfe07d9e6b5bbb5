import { failure } from '#driver';

/** Tags are where ownership and unfinished work are written down: in LVM's own metadata, so a restart finds them. */
export const tags = {
  /** On everything of ours; without it an LV is never touched. */
  owned: 'ashlar',
  snapshot: 'ashlar.snapshot',
  /** The bytes are not yet what they should be: zeros, or a copy. */
  making: 'ashlar.making',
  /** A snapshot that lives only while a clone is copied from it. */
  temporary: 'ashlar.temporary',
  /** + bytes: what is behind them was added by an extend and is not known to be zeros yet. */
  growingFrom: 'ashlar.growing-from.',
  /** + bytes: of something deleted, how much of its start has been erased. */
  wipedTo: 'ashlar.wiped-to.',
  /** + the LV's uuid, on the volume group: that LV is deleted. One change of the group says it of many. */
  deleted: 'ashlar.deleted.',
  /** On the volume group: every free extent reads as zeros, so new volumes need no wiping. */
  freeSpaceIsZero: 'ashlar.free-space-is-zero',
} as const;

const DELETED = 'deleted-';

/** The LV name for a backend name. LVM keeps names that start with `snapshot` for itself. */
export function lvName(name: string): string {
  if (!/^[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,109}$/.test(name) || name === '.' || name === '..' || isDeletedName(name)) {
    throw failure('InvalidInput', {
      reason:
        `'${name}' cannot be the name of a logical volume: letters, digits and _ + . - only, 110 at the most, ` +
        `and not '${DELETED}' at its start.`,
    });
  }
  return name.startsWith('snapshot') ? `_${name}` : name;
}

/** The backend name of an LV: the reverse of lvName. */
export function backendName(lv: string): string {
  return lv.startsWith('_snapshot') ? lv.slice(1) : lv;
}

export function poolName(volumeGroup: string): string {
  return `${volumeGroup}-pool`;
}

/** The snapshot that a thick clone is copied from. */
export function temporaryName(volumeName: string): string {
  return lvName(`clone-of-${volumeName}`);
}

const REVERTED = 'revert-of-';

/** What a thin volume is replaced by when it is reverted. */
export function revertedName(volumeName: string): string {
  return lvName(`${REVERTED}${volumeName}`);
}

export function isRevertedName(lv: string): boolean {
  return lv.startsWith(REVERTED);
}

/** The name that an LV gets when it is deleted; a number behind it where that is taken. */
export function deletedName(lv: string, isTaken: (name: string) => boolean): string {
  const plain = `${DELETED}${lv}`;
  if (!isTaken(plain)) return plain;
  let number = 2;
  while (isTaken(`${plain}.${number}`)) number += 1;
  return `${plain}.${number}`;
}

/** True for what waits to be erased and removed. Its tag says whether it is ours. */
export function isDeletedName(lv: string): boolean {
  return lv.startsWith(DELETED);
}
