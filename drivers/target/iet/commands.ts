/** ietadm's command lines. Pure. It takes a password in its argv alone, for everybody to read: there is none for an account. */
export type Argv = readonly [string, ...string[]];

export function createTarget(tid: number, iqn: string): Argv {
  return ['ietadm', '--op', 'new', `--tid=${tid}`, '--params', `Name=${iqn}`];
}

export function createUnit(tid: number, lun: number, path: string, type: string): Argv {
  return ['ietadm', '--op', 'new', `--tid=${tid}`, `--lun=${lun}`, '--params', `Path=${path},Type=${type}`];
}

export function deleteUnit(tid: number, lun: number): Argv {
  return ['ietadm', '--op', 'delete', `--tid=${tid}`, `--lun=${lun}`];
}

export function deleteConnection(tid: number, sid: string, cid: string): Argv {
  return ['ietadm', '--op', 'delete', `--tid=${tid}`, `--sid=${sid}`, `--cid=${cid}`];
}

export function deleteTarget(tid: number): Argv {
  return ['ietadm', '--op', 'delete', `--tid=${tid}`];
}
