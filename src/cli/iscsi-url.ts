import { CliFailure, EXIT } from './exit-codes.ts';

/** libiscsi keeps each part of a URL in 255 bytes. */
const LONGEST_PART = 255;

/**
 * `iscsi://USER%PASSWORD@HOST:PORT/IQN/LUN`, as libiscsi and with it QEMU read it; without credentials no `…@`.
 *
 * What libiscsi does, found by giving its 1.19 such URLs: it cuts at the first `?`, then at the first `@`, the part before
 * it at the first `%` (else the first `:`), the rest at slashes. It decodes percent escapes in the target's name only, and
 * never in the two characters behind an escape. So credentials stand there as they are, the target's name is escaped as
 * little as possible, and what cannot be said is an error.
 *
 * `connectionInfo` is an attachment's: flat, with `driver_volume_type`.
 */
export function iscsiUrl(connectionInfo: Readonly<Record<string, unknown>>): string {
  const protocol = connectionInfo.driver_volume_type;
  if (protocol !== 'iscsi') throw noUrl(`the volume is exported by '${String(protocol)}', not by iSCSI`);
  const portal = text(connectionInfo, 'target_portal');
  const target = text(connectionInfo, 'target_iqn');
  const lun = connectionInfo.target_lun;
  if (!Number.isSafeInteger(lun)) throw noUrl('the connection information has no target_lun');
  if (/[/?@%]/.test(portal)) throw noUrl(`the portal '${portal}' cannot stand in a URL`);
  return `iscsi://${credentials(connectionInfo)}${portal}/${escapeTarget(target)}/${String(lun)}`;
}

function credentials(connectionInfo: Readonly<Record<string, unknown>>): string {
  if (connectionInfo.auth_method === undefined || connectionInfo.auth_method === null) return '';
  const user = text(connectionInfo, 'auth_username');
  const password = text(connectionInfo, 'auth_password');
  const next = 'leave the credentials to LIBISCSI_CHAP_USERNAME and LIBISCSI_CHAP_PASSWORD';
  // The parts themselves stay out of the sentences.
  if (/[?@%]/.test(user)) throw noUrl(`the CHAP user name has a character that no such URL can hold; ${next}`);
  if (/[?@]/.test(password)) throw noUrl(`the CHAP password has a character that no such URL can hold; ${next}`);
  return `${user}%${password}@`;
}

function escapeTarget(target: string): string {
  const escaped = target.replace(/[%/?@]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (/[%/?@].{0,1}[%/?@]/.test(target)) throw noUrl(`the target's name '${target}' cannot be escaped for libiscsi`);
  return escaped;
}

function text(connectionInfo: Readonly<Record<string, unknown>>, key: string): string {
  const value = connectionInfo[key];
  if (typeof value !== 'string' || value === '') throw noUrl(`the connection information has no ${key}`);
  if (!/^[\x21-\x7e]+$/.test(value)) throw noUrl(`${key} has characters that no URL can hold`);
  if (value.length > LONGEST_PART) throw noUrl(`${key} is longer than libiscsi can take`);
  return value;
}

function noUrl(reason: string): CliFailure {
  const message = `There is no iscsi:// URL for this attachment: ${reason}. See: ashlar attachment show ID --show-secrets`;
  return new CliFailure(EXIT.failed, message);
}
