/** From an export request and the options to what tgtd should have. Pure. */
import { type Connector, checkedName, type ExportRequest, failure, serialOf, type ValuesOf } from '#driver';
import type { WantedExport } from './config-file.ts';
import type { options } from './options.ts';

export type TgtOptions = ValuesOf<typeof options>;
export interface Wanted extends WantedExport {
  readonly sizeGb: number;
}

/** Throws ExportFailure for what tgtd or its files cannot express. */
export function wantedExport(
  { volume, devicePath, chap, connectors = [] }: ExportRequest,
  values: TgtOptions,
  /** Those who are let in by name so far. */
  known: readonly string[] = [],
): Wanted {
  const refuse = (reason: string) => failure('ExportFailure', { id: volume.id, reason });
  // tgtadm separates parameters by commas, and both tgtadm and the file separate lines.
  if (!devicePath.startsWith('/')) throw refuse(`the path of its device, '${devicePath}', is not absolute.`);
  if (/[,\n\r\0]/.test(devicePath)) {
    throw refuse(`tgt cannot open a path with a comma or a line break: '${devicePath}'. Move it to another directory.`);
  }
  if (chap !== null && !/^[^\s,]+$/.test(chap.username)) {
    throw refuse('its CHAP user name has a blank or a comma, or is empty. Give it another one.');
  }
  if (chap !== null && !/^[^\s"]+$/.test(chap.password)) {
    throw refuse('its CHAP password has a blank or a quotation mark, or is empty. Give it another one.');
  }
  return {
    iqn: values.target_prefix + checkedName(volume),
    devicePath,
    lld: lldOf(values),
    chap,
    writeCache: values.iscsi_write_cache === 'off' ? 'off' : 'on',
    bsoflags: values.iscsi_target_flags === '' ? null : values.iscsi_target_flags,
    serial: serialOf(volume.id),
    initiators: values.tgt_initiator_acl
      ? [...new Set([...known, ...connectors.map(initiatorOf).filter((name) => name !== null)])].toSorted()
      : null,
    sizeGb: volume.sizeGb,
  };
}

/** A connector's initiator name; null where it has none that can be bound (it becomes part of a file's line). */
export function initiatorOf({ initiator }: Connector): string | null {
  const isName = typeof initiator === 'string' && /^(iqn|eui|naa)\.[A-Za-z0-9.:_-]{1,218}$/.test(initiator);
  return isName ? initiator : null;
}

export function lldOf(values: TgtOptions): 'iscsi' | 'iser' {
  return values.target_protocol === 'iser' ? 'iser' : 'iscsi';
}
