/** What a launcher starts and stops, whatever the service is. */
export interface RunningService {
  /** For the log and the report: `cinder-volume node@lvm`. */
  readonly name: string;
  /** Takes nothing new, finishes what runs or leaves it recorded, within timeoutMs. */
  stop(options: { readonly timeoutMs: number }): Promise<void>;
}
