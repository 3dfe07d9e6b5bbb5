/** Making and ending a volume's export: shared by the operations that connect initiators. */
import { randomBytes } from 'node:crypto';
import type { Store } from '../db/store.ts';
import type { ChapCredentials, ConnectionInfo, ExportRecord, ExportRequest } from '../driver/target.ts';
import type { Attachment } from '../model/attachment.ts';
import type { Connector } from '../model/connector.ts';
import { failure } from '../model/errors.ts';
import type { Volume } from '../model/volume.ts';
import type { Backend, OperationContext } from './operation.ts';

export interface Connected {
  readonly exported: ExportRecord;
  readonly info: ConnectionInfo;
}

/**
 * Exports the volume (where it is not yet) and lets the initiator in. The credentials are recorded before the target
 * hears of them, so a repetition after a crash derives the same export. An export that this attempt made is taken away
 * again if the attempt fails; one that was there stays.
 */
export async function connect(context: OperationContext, volume: Volume, connector: Connector): Promise<Connected> {
  const { store, backend, undo } = context;
  const { target } = backend;
  const driverVolume = await backend.toDriverVolume(volume);
  const chap = await recordCredentials(store, volume);
  if (volume.providerLocation === null) {
    undo.defer(`export of volume ${volume.id}`, async () => {
      await target.removeExport(driverVolume);
      await forgetExport(store, volume.id);
    });
  }
  const devicePath = await backend.driver.devicePath(driverVolume);
  const exported = await target.createExport({ volume: driverVolume, devicePath, chap });
  const info = await target.initializeConnection(driverVolume, { ...exported, chap }, connector);
  return { exported, info };
}

/** Takes the initiator's right away, and the export with it when nobody is left. The caller's transaction clears the columns. */
export async function disconnect(
  { backend }: Pick<OperationContext, 'backend'>,
  volume: Volume,
  leaving: { readonly connector: Connector | null; readonly last: boolean },
): Promise<void> {
  if (volume.providerLocation === null && volume.providerAuth === null) return;
  const driverVolume = await backend.toDriverVolume(volume);
  await backend.target.terminateConnection(driverVolume, leaving.connector);
  if (leaving.last) await backend.target.removeExport(driverVolume);
}

/** What should be exported for this row. */
export async function exportRequest(store: Store, backend: Backend, volume: Volume): Promise<ExportRequest> {
  const driverVolume = await backend.toDriverVolume(volume);
  const attachments = await store.attachments.listByVolume(volume.id);
  return {
    volume: driverVolume,
    devicePath: await backend.driver.devicePath(driverVolume),
    chap: parseProviderAuth(volume.providerAuth),
    connectors: attachments.map(({ connector }) => connector).filter((connector) => connector !== null),
  };
}

/** The columns of a volume that is not exported. */
export const notExported = { providerLocation: null, providerAuth: null } as const;

/** Reads `CHAP user password`. */
export function parseProviderAuth(providerAuth: string | null): ChapCredentials | null {
  const [method, username, password] = providerAuth?.split(' ') ?? [];
  return method === 'CHAP' && username !== undefined && password !== undefined ? { username, password } : null;
}

/**
 * The attachments that still need the export once somebody has left: one attachment, the attachments of a connector
 * (older calls name only that), or everybody (a null connector).
 */
export function consumersLeft(
  attachments: readonly Attachment[],
  leaving: { readonly attachmentId: string } | { readonly connector: Connector | null },
): readonly Attachment[] {
  const connected = attachments.filter(
    ({ attachStatus, connector }) => connector !== null || attachStatus === 'attached',
  );
  if ('attachmentId' in leaving) return connected.filter(({ id }) => id !== leaving.attachmentId);
  const { connector } = leaving;
  if (connector === null) return [];
  return connected.filter((attachment) => {
    if (attachment.connector !== null) return attachment.connector.initiator !== connector.initiator;
    // Rows of the older attach call hold no connector; the host says whose they are, where it was given.
    return attachment.attachedHost !== null && attachment.attachedHost !== connector.host;
  });
}

async function recordCredentials(store: Store, volume: Volume): Promise<ChapCredentials> {
  const known = parseProviderAuth(volume.providerAuth);
  if (known !== null) return known;
  const fresh = { username: randomBytes(10).toString('hex'), password: randomBytes(12).toString('base64url') };
  const updated = await store.volumes.updateIf(
    volume.id,
    { status: volume.status },
    { providerAuth: `CHAP ${fresh.username} ${fresh.password}` },
  );
  if (updated === null) {
    throw failure('Overtaken', { what: `Volume ${volume.id}`, reason: `it is no longer ${volume.status}` });
  }
  return fresh;
}

async function forgetExport(store: Store, volumeId: string): Promise<void> {
  await store.volumes.updateIf(volumeId, {}, notExported);
}
