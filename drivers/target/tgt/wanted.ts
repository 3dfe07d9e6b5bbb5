/** From an export request and the options to what tgtd should have. Pure. */
import { createHash } from 'node:crypto';
import { type DriverVolume, type ExportRequest, failure, type ValuesOf } from '#driver';
import type { WantedExport } from './config-file.ts';
import type { options } from './options.ts';

export type TgtOptions = ValuesOf<typeof options>;
export interface Wanted extends WantedExport {
  readonly sizeGb: number;
}

/** Throws ExportFailure for what tgtd or its files cannot express. */
export function wantedExport({ volume, devicePath, chap }: ExportRequest, values: TgtOptions): Wanted {
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
    sizeGb: volume.sizeGb,
  };
}

export function lldOf(values: TgtOptions): 'iscsi' | 'iser' {
  return values.target_protocol === 'iser' ? 'iser' : 'iscsi';
}

/** The volume's name, which becomes part of a file's path and of the target's name. Throws ExportFailure for one that cannot. */
export function checkedName({ id, name }: Pick<DriverVolume, 'id' | 'name'>): string {
  if (/^[A-Za-z0-9][\w.:-]*$/.test(name)) return name;
  const reason = `'${name}' cannot be part of a target's name: only letters, digits and _ . : - can. See volume_name_template.`;
  throw failure('ExportFailure', { id, reason });
}

/** 32 hexadecimal digits, the same for a volume wherever it is exported: of its uuid, or of another id's digest. */
export function serialOf(volumeId: string): string {
  const digits = volumeId.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : createHash('sha256').update(volumeId).digest('hex').slice(0, 32);
}
