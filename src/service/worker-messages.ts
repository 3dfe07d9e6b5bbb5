/** What a parent and the processes that it forks say to each other, over the pipe between them. */

/** From the parent. */
export type ToWorker =
  /** The first message. `settings` may hold secrets, so they come by this way and not by argv. */
  | { readonly kind: 'start'; readonly settings: Readonly<Record<string, unknown>> }
  /** Mutable options have changed; the rest of the settings is as before. */
  | { readonly kind: 'configure'; readonly settings: Readonly<Record<string, unknown>> }
  /** Takes nothing new, finishes or leaves recorded what runs, then ends. */
  | { readonly kind: 'stop'; readonly timeoutMs: number }
  /** Ends at once, its commands with it. */
  | { readonly kind: 'halt' }
  /** Writes its state report. */
  | { readonly kind: 'report' };

/** From a worker. */
export type FromWorker =
  /** It serves. `down`: what it stands for does not work yet, and it goes on trying. */
  | { readonly kind: 'state'; readonly state: 'up' | 'down'; readonly reason: string | null }
  /** It cannot start and ends. `lasting`: another start with the same settings would end the same way. */
  | { readonly kind: 'failed'; readonly reason: string; readonly lasting: boolean };

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A forked process, as its parent sees it. Whoever makes one sees to it that it learns when the parent is gone. */
export interface WorkerProcess {
  readonly pid: number;
  /** Settles when it is gone. Never rejects. */
  readonly exited: Promise<WorkerExit>;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Harmless when it is gone. */
  send(message: ToWorker): void;
  kill(signal: NodeJS.Signals): void;
}
