import { createLimiter, failure } from '#driver';
import type { TgtRequest, Transport } from './request.ts';
import { parseTargets, type ShownTarget } from './show.ts';

/** One tgtd, step by step. Done already, or gone already, is success where it says so. */
export interface Daemon {
  show(): Promise<ShownTarget[]>;
  /**
   * Makes a target that nobody may log in to yet; one of this name that somebody else just made will do. `lastSeen` is
   * the highest number in the caller's listing.
   */
  createTarget(iqn: string, lastSeen: number): Promise<number>;
  /** The same without any listing: null where the name, or the next number, is taken, and a listing has to say which. */
  createNewTarget(iqn: string): Promise<number | null>;
  /** With its sessions, if there are any. Gone already is fine. */
  deleteTarget(tid: number): Promise<void>;
  createUnit(tid: number, unit: { readonly devicePath: string; readonly bsoflags: string | null }): Promise<void>;
  /** Gone already is fine. */
  deleteUnit(tid: number): Promise<void>;
  setAttributes(tid: number, attributes: { readonly serial: string; readonly writeCache: 'on' | 'off' }): Promise<void>;
  /** Lets these initiator names and addresses log in; `ALL` is every address. */
  open(tid: number, addresses: readonly string[]): Promise<void>;
  /** Takes the shown addresses (and initiator names) from the target: nobody may log in then. Sessions stay. */
  close(tid: number, addresses: readonly string[]): Promise<void>;
  /** False where an account of this name is there already. */
  createAccount(account: { readonly username: string; readonly password: string }): Promise<boolean>;
  /** Unbinds it everywhere. Gone already is fine. */
  deleteAccount(username: string): Promise<void>;
  bindAccount(tid: number, username: string): Promise<void>;
  unbindAccount(tid: number, username: string): Promise<void>;
  /** Runs alone among all work on accounts of this daemon: they are global in it, and targets may share one. */
  withAccounts<T>(work: () => Promise<T>): Promise<T>;
}

const TARGET_ATTEMPTS = 10;
const REQUESTS_AT_ONCE = 16;
/** The one logical unit of a target. Number 0 is tgtd's own controller. */
export const LUN = 1;

/** The SCSI caching page (8) with the write cache bit set or cleared, as the parameter mode_page takes it. */
const CACHING_PAGE = {
  on: '8:0:18:0x14:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0',
  off: '8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0',
} as const;

/** What the backends of this process that use the same tgtd share. */
interface Shared {
  /** Target numbers are given upwards and never twice, so that two callers cannot choose the same. */
  lastTid: number;
  readonly accounts: ReturnType<typeof createLimiter>;
  /** tgtd does one request at a time, and its queue of connections is short. */
  readonly requests: ReturnType<typeof createLimiter>;
}
const sharedByPath = new Map<string, Shared>();

/** `path` is the daemon's control socket: what tells one daemon from another. */
export function createDaemon(path: string, send: Transport): Daemon {
  const shared = sharedByPath.get(path) ?? {
    lastTid: 0,
    accounts: createLimiter(1),
    requests: createLimiter(REQUESTS_AT_ONCE),
  };
  sharedByPath.set(path, shared);

  /** Sends a request; tgtd's refusal throws, unless it is the one that means done already. */
  async function must(request: TgtRequest, doneAlready?: string): Promise<{ text: string; done: boolean }> {
    const { problem, text } = await shared.requests(() => send(request));
    if (problem === null) return { text, done: true };
    if (problem === doneAlready) return { text, done: false };
    throw failure('VolumeBackendAPIException', { reason: describeRefusal(request, problem) });
  }

  async function show(): Promise<ShownTarget[]> {
    const targets = parseTargets((await must({ mode: 'target', op: 'show' })).text);
    shared.lastTid = targets.reduce((last, { tid }) => Math.max(last, tid), shared.lastTid);
    return targets;
  }

  async function createNewTarget(iqn: string): Promise<number | null> {
    shared.lastTid += 1;
    const tid = shared.lastTid;
    const request = { mode: 'target', op: 'new', tid, parameters: { targetname: iqn } } as const;
    return (await must(request, 'this target already exists')).done ? tid : null;
  }

  async function createTarget(iqn: string, lastSeen: number): Promise<number> {
    shared.lastTid = Math.max(shared.lastTid, lastSeen);
    for (let attempt = 1; attempt <= TARGET_ATTEMPTS; attempt += 1) {
      const tid = await createNewTarget(iqn);
      if (tid !== null) return tid;
      // Said of a number as well as of a name: another process was quicker with one of them.
      const targets = await show();
      const found = targets.find((target) => target.iqn === iqn);
      if (found !== undefined) return found.tid;
    }
    const reason = `no free number for target ${iqn} after ${TARGET_ATTEMPTS} attempts. Something else makes targets all the time.`;
    throw failure('VolumeBackendAPIException', { reason });
  }

  return {
    show,
    createTarget,
    createNewTarget,
    deleteTarget: async (tid) => {
      await must({ mode: 'target', op: 'delete', tid, force: true }, "can't find the target");
    },
    createUnit: async (tid, { devicePath, bsoflags }) => {
      const parameters = { path: devicePath, bstype: 'rdwr', ...(bsoflags === null ? {} : { bsoflags }) };
      await must({ mode: 'logicalunit', op: 'new', tid, lun: LUN, parameters });
    },
    deleteUnit: async (tid) => {
      await must({ mode: 'logicalunit', op: 'delete', tid, lun: LUN }, "can't find the logical unit");
    },
    setAttributes: async (tid, { serial, writeCache }) => {
      const page = CACHING_PAGE[writeCache];
      const parameters = { scsi_sn: serial, scsi_id: serial, thin_provisioning: '1', mode_page: page };
      await must({ mode: 'logicalunit', op: 'update', tid, lun: LUN, parameters });
    },
    open: async (tid, addresses) => {
      for (const address of addresses) {
        const request = { mode: 'target', op: 'bind', tid, parameters: ruleFor(address) } as const;
        await must(request, 'this access control rule already exists');
      }
    },
    close: async (tid, addresses) => {
      for (const address of addresses) {
        const request = { mode: 'target', op: 'unbind', tid, parameters: ruleFor(address) } as const;
        await must(request, 'this access control rule does not exist');
      }
    },
    createAccount: async ({ username, password }) => {
      const parameters = { user: username, password };
      return (await must({ mode: 'account', op: 'new', parameters }, 'this account already exists')).done;
    },
    deleteAccount: async (username) => {
      await must({ mode: 'account', op: 'delete', parameters: { user: username } }, "can't find the account");
    },
    bindAccount: async (tid, username) => {
      await must({ mode: 'account', op: 'bind', tid, parameters: { user: username } }, 'this account already exists');
    },
    unbindAccount: async (tid, username) => {
      await must({ mode: 'account', op: 'unbind', tid, parameters: { user: username } }, "can't find the account");
    },
    withAccounts: (work) => shared.accounts(work),
  };
}

function ruleFor(address: string): Readonly<Record<string, string>> {
  return { [/^(iqn|eui|naa)\./.test(address) ? 'initiator-name' : 'initiator-address']: address };
}

/** A sentence without secrets. */
function describeRefusal({ mode, op, tid, parameters = {} }: TgtRequest, problem: string): string {
  const to = tid === undefined ? '' : ` of target ${tid}`;
  if (mode === 'logicalunit' && op === 'new' && problem === 'invalid request') {
    return `tgtd cannot open ${parameters.path}. Look whether it is there and can be read and written.`;
  }
  return `tgtd refused '${op} ${mode}'${to}: ${problem}. Its own log may say more.`;
}
