/** What an initiator says of itself, in os-brick's keys; unknown keys are carried along. */
export interface Connector {
  readonly initiator?: string;
  readonly host?: string;
  readonly ip?: string;
  readonly platform?: string;
  readonly os_type?: string;
  readonly multipath?: boolean;
  readonly mountpoint?: string;
  readonly mode?: string;
  readonly do_local_attach?: boolean;
  readonly [key: string]: unknown;
}
