/** What the signals mean to every service. */

export interface SignalHandlers {
  /** TERM: drain, then end. Once. */
  onStop(): void;
  /** INT, ALRM, a second TERM: end at once, with this exit code. */
  onHalt(exitCode: number): void;
  /** HUP: read the configuration anew. */
  onReload(): void;
  /** USR2: write the state report. */
  onReport(): void;
}

/** Where signals come from: the process, or a stand-in. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Calls the handlers until the function that it answers is called. */
export function handleSignals(handlers: SignalHandlers, source: SignalSource = process): () => void {
  let isStopping = false;
  const meanings: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGTERM: () => {
      if (isStopping) return handlers.onHalt(128 + 15);
      isStopping = true;
      handlers.onStop();
    },
    SIGINT: () => handlers.onHalt(128 + 2),
    // Whoever bounds a shutdown from outside sends it; the limit of our own is a timer.
    SIGALRM: () => handlers.onHalt(1),
    SIGHUP: () => {
      if (!isStopping) handlers.onReload();
    },
    SIGUSR2: () => handlers.onReport(),
  };
  const entries = Object.entries(meanings) as [NodeJS.Signals, () => void][];
  for (const [signal, act] of entries) source.on(signal, act);
  return () => {
    for (const [signal, act] of entries) source.off(signal, act);
  };
}
