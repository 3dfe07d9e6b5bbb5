/** What is kept of leases, between those who hold them (src/coordination) and where they stand (src/db). */

/** Each method is one statement, and its time is the database's. */
export interface LeaseRecords {
  /** Takes what is free, expired, ours already, or still that of `over`, a holder known to have ended. */
  take(request: {
    readonly name: string;
    /** A uuid of the holder. */
    readonly holder: string;
    /** How a successor on the same machine sees that the holder has ended: JSON of a ProcessLife. */
    readonly life: string;
    readonly ttlMs: number;
    readonly over: string | null;
  }): Promise<LeaseTaken | LeaseHeld>;
  /** False where another has taken it. One that ran out and that nobody took is renewed. */
  renew(lease: { readonly name: string; readonly epoch: number; readonly ttlMs: number }): Promise<boolean>;
  /** Free from now on; nothing happens where another has it. */
  release(lease: { readonly name: string; readonly epoch: number }): Promise<void>;
}

/** The epoch counts the holders of a name; it never goes back. */
export interface LeaseTaken {
  readonly kind: 'taken';
  readonly epoch: number;
}

export interface LeaseHeld {
  readonly kind: 'held';
  readonly holder: string;
  readonly life: string;
  readonly leftMs: number;
}
