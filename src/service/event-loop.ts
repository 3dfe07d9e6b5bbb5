/** How long the event loop of this process is held up: a stall is found by the first turn after it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EventLoopReport } from '../rpcapi/inquiry.ts';

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

const RESOLUTION_MS = 20;
const LOOK_EVERY_MS = 500;
/** The figures are of the current such span and the one before. */
const SPAN_MS = 60_000;
const STALL_MS = 1000;

export interface EventLoopMonitor {
  read(): EventLoopReport;
  stop(): void;
}

export function monitorEventLoop(): EventLoopMonitor {
  let histogram = startHistogram();
  let before: Histogram | null = null;
  let spanStartedMs = performance.now();
  let lookedAtMs = performance.now();
  let stall: { readonly ms: number; readonly endedAtMs: number } | null = null;
  const look = () => {
    const nowMs = performance.now();
    const lateMs = nowMs - lookedAtMs - LOOK_EVERY_MS;
    if (lateMs >= STALL_MS) stall = { ms: lateMs, endedAtMs: nowMs };
    lookedAtMs = nowMs;
    if (nowMs - spanStartedMs < SPAN_MS) return;
    histogram.disable();
    before = histogram;
    histogram = startHistogram();
    spanStartedMs = nowMs;
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    read() {
      look();
      const of = before !== null && histogram.count < 10 ? before : histogram;
      return {
        mean_delay_ms: delayMs(of.mean),
        p99_delay_ms: delayMs(of.percentile(99)),
        max_delay_ms: Math.max(delayMs(histogram.max), before === null ? 0 : delayMs(before.max)),
        last_stall:
          stall === null
            ? null
            : { seconds: rounded(stall.ms / 1000), ended_ago: rounded((performance.now() - stall.endedAtMs) / 1000) },
      };
    },
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

function startHistogram(): Histogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** The histogram counts what a timer took, its own interval included; empty ones answer NaN or a huge minimum. */
function delayMs(nanoseconds: number): number {
  if (!Number.isFinite(nanoseconds)) return 0;
  return rounded(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
