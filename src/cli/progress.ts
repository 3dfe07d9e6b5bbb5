import { type CliIo, widthOf } from './io.ts';
import { escapeControls, truncate } from './render/text.ts';

const FRAMES = ['|', '/', '-', '\\'];
const FRAME_MS = 120;

/** A line on a terminal's stderr that says what is being waited for, and for how long. Nothing where there is no terminal. */
export interface Progress extends Disposable {
  /** `volume data: creating`. */
  show(text: string): void;
}

/** Starts the line; disposing of it wipes it. */
export function startProgress(io: CliIo): Progress {
  if (!io.isTty) return { show: () => {}, [Symbol.dispose]: () => {} };
  const startedAt = performance.now();
  let text = '';
  let frame = 0;
  const draw = () => {
    const seconds = Math.floor((performance.now() - startedAt) / 1000);
    const line = `${FRAMES[frame++ % FRAMES.length]} ${escapeControls(text)} ${seconds}s`;
    // One column less than the terminal has: a line that fills it wraps, and could not be wiped.
    io.stderr.write(`\r${truncate(line, (widthOf(io) ?? 80) - 1)}\u001b[K`);
  };
  const timer = setInterval(draw, FRAME_MS);
  return {
    show(next) {
      text = next;
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      io.stderr.write('\r\u001b[K');
    },
  };
}
