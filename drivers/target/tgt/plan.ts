/**
 * What has to be done so that tgtd exports a volume as wanted. Pure.
 *
 * tgtd does not show everything (no passwords, no write cache), so one rule makes the rest visible: **a target is open
 * (bound to initiator address ALL, or to the names that it lets in) only while all that its file says has been applied**. Opening is the last step, and a
 * change starts with closing. So a target that is open and whose file is right needs a look only at what tgtd shows;
 * one that is closed gets everything again, whatever cut us off. Closing ends no session.
 */
import { addressesOf, type WantedExport } from './config-file.ts';
import type { ShownTarget, ShownUnit } from './show.ts';

export type Step =
  | 'close'
  | 'delete target'
  | 'write file'
  | 'create target'
  | 'delete unit'
  | 'create unit'
  | 'set attributes'
  | 'drop accounts'
  | 'set account'
  | 'open';

export interface Plan {
  /** Empty where the export is right. */
  readonly steps: readonly Step[];
  /** What stays different for now because an initiator is logged in. */
  readonly postponed: string | null;
}

const BYTES_PER_GB = 2 ** 30;

export function planExport(
  wanted: WantedExport & { readonly sizeGb: number },
  found: { readonly target: ShownTarget | null; readonly fileIsRight: boolean },
): Plan {
  const unitFound = found.target?.units.find(({ lun }) => lun === 1);
  // Another volume's bytes, or none: whoever is logged in must not go on with them.
  const wrongDevice = unitFound !== undefined && unitFound.backingStorePath !== wanted.devicePath;
  const target = wrongDevice ? null : found.target;
  const unit = wrongDevice ? undefined : unitFound;

  const stale = unit === undefined ? null : staleness(unit, wanted);
  const replaceUnit = stale !== null && target?.sessions === 0;
  const postponed = stale !== null && !replaceUnit ? stale : null;

  const isOpen = target !== null && target !== undefined && isOpenTo(target.addresses, wanted.initiators);
  const unwanted = target?.accounts.filter((name) => name !== wanted.chap?.username) ?? [];
  const accountIsBound = wanted.chap === null || (target?.accounts.includes(wanted.chap.username) ?? false);
  const attributesAreRight = unit?.serial === wanted.serial && unit.scsiId === wanted.serial && unit.thinProvisioning;
  if (isOpen && found.fileIsRight && attributesAreRight && !replaceUnit && unwanted.length === 0 && accountIsBound) {
    return { steps: [], postponed };
  }

  const steps: readonly (Step | false)[] = [
    (found.target?.addresses.length ?? 0) > 0 && 'close',
    wrongDevice && 'delete target',
    !found.fileIsRight && 'write file',
    target === null && 'create target',
    replaceUnit && 'delete unit',
    (unit === undefined || replaceUnit) && 'create unit',
    'set attributes',
    unwanted.length > 0 && 'drop accounts',
    wanted.chap !== null && 'set account',
    'open',
  ];
  return { steps: steps.filter((step) => step !== false), postponed };
}

/** By name: exactly those who are wanted, for whom somebody else may have opened it to more. */
function isOpenTo(addresses: readonly string[], initiators: readonly string[] | null): boolean {
  if (initiators === null) return addresses.includes('ALL');
  return addresses.toSorted().join() === addressesOf(initiators).toSorted().join();
}

/** Why a logical unit with the right device should be made anew; null where it is right. */
function staleness(unit: ShownUnit, wanted: WantedExport & { readonly sizeGb: number }): string | null {
  if (unit.backingStoreType !== 'rdwr') return `its backing store type is ${unit.backingStoreType}, not rdwr`;
  if (!sameFlags(unit.backingStoreFlags, wanted.bsoflags ?? '')) {
    return `its flags are '${unit.backingStoreFlags}', not '${wanted.bsoflags ?? ''}'`;
  }
  // tgtd reads the size once. Its figure is rounded, a volume grows by whole GiB: two million bytes tell them apart.
  const wantedMb = (wanted.sizeGb * BYTES_PER_GB) / 1e6;
  return unit.sizeMb + 2 < wantedMb ? `it shows ${unit.sizeMb} MB of ${Math.floor(wantedMb)}` : null;
}

function sameFlags(left: string, right: string): boolean {
  const normal = (flags: string) => [...new Set(flags.split(/[\s:]+/).filter((flag) => flag !== ''))].sort().join(':');
  return normal(left) === normal(right);
}
