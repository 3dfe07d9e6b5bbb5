/** One request to tgtd, in words that tgtadm's options and the control socket share. */
export interface TgtRequest {
  readonly mode: 'target' | 'logicalunit' | 'portal' | 'account';
  readonly op: 'new' | 'delete' | 'show' | 'bind' | 'unbind' | 'update';
  readonly tid?: number;
  readonly lun?: number;
  /** With `delete`: although initiators are logged in. */
  readonly force?: boolean;
  /** In the order in which tgtd gets them. */
  readonly parameters?: Parameters;
}

/** Keys are those of tgtd's parameters, such as `targetname`, `path`, `user`. */
export type Parameters = Readonly<Record<string, string>>;

export interface TgtAnswer {
  /** What tgtd has against the request, in tgtadm's words; null where it did it. */
  readonly problem: string | null;
  readonly text: string;
}

/**
 * A way to tgtd. Rejects with ConnectionFailed where tgtd cannot be asked or does not answer in time: the effect is then
 * unknown.
 */
export type Transport = (request: TgtRequest) => Promise<TgtAnswer>;
