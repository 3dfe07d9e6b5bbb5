/** Which backend a node without a configuration gets: chosen at the first start, kept afterwards. */
import { closeSync, openSync } from 'node:fs';
import type { ConfigTexts } from '../../config/layers.ts';
import { pathOf } from '../../exec/executor.ts';
import type { NodeFacts } from './state-dir.ts';

export interface LocalBackend {
  readonly backend: 'lvm' | 'file';
  /** One sentence for the person at the terminal. */
  readonly why: string;
}

export const LOCAL_VOLUME_GROUP = 'ashlar-volumes';

export function chooseLocalBackend(facts: NodeFacts, machine: Machine = inspectMachine()): LocalBackend {
  const can = lvmObstacle(machine);
  if (facts.backend === 'lvm' && can !== null) {
    return { backend: 'lvm', why: `LVM, as at the first start; but ${can}, so it will not come up` };
  }
  if (facts.backend !== undefined) return { backend: facts.backend, why: `${facts.backend}, as at the first start` };
  if (can === null) return { backend: 'lvm', why: 'LVM: device-mapper is there' };
  return { backend: 'file', why: `sparse files: ${can}` };
}

/** The configuration of that backend, for what no file says otherwise. */
export function localBackendConfig(backend: LocalBackend['backend'], target: 'tgtadm' | 'fake'): ConfigTexts {
  const shared = { target_helper: target, volume_backend_name: backend };
  return {
    DEFAULT: { enabled_backends: backend, quota_volumes: '-1', quota_snapshots: '-1', quota_gigabytes: '-1' },
    [backend]:
      backend === 'file'
        ? { ...shared, volume_driver: 'file' }
        : { ...shared, volume_driver: 'lvm', volume_group: LOCAL_VOLUME_GROUP, lvm_type: 'thin' },
  };
}

/** Null where a tgtd of our own can be started, else why not. */
export function tgtdObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'tgtd takes root (sudo npm start)';
  return pathOf('tgtd') === null ? 'tgt is not installed (apt-get install tgt)' : null;
}

/** What of a machine decides. */
export interface Machine {
  readonly isRoot: boolean;
  readonly deviceMapper: boolean;
  readonly lvm: boolean;
}

function inspectMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    deviceMapper: canOpen('/dev/mapper/control'),
    lvm: pathOf('lvm') !== null,
  };
}

function lvmObstacle({ isRoot, deviceMapper, lvm }: Machine): string | null {
  if (!deviceMapper) return 'this kernel has no device-mapper';
  if (!lvm) return 'lvm2 is not installed (apt-get install lvm2)';
  return isRoot ? null : 'LVM needs root';
}

/** The node may exist in a kernel without the driver; opening it also loads the module where there is one. */
function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r+'));
    return true;
  } catch {
    return false;
  }
}
