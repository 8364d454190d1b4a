// How long to wait until the next poll, by the notifier's state.
import type { Entropy } from '../ports/entropy.js';
import type { NotifierState } from '../ports/notifier.js';

/** Milliseconds. */
export interface PaceOptions {
  readonly workflowPollIntervalMs: number;
  readonly timerPollIntervalMs: number;
  readonly channelTimeoutIntervalMs: number;
  readonly notifyFallbackIntervalMs: number;
}

/**
 * One claim finds resumable instances, due timers and timed-out waits alike, so the shortest of the three intervals is the pace; with
 * a healthy notifier it is the fallback interval.
 */
export function pollIntervalMs(options: PaceOptions, notifier: NotifierState | null): number {
  if (notifier === 'healthy') return options.notifyFallbackIntervalMs;
  return Math.min(options.workflowPollIntervalMs, options.timerPollIntervalMs, options.channelTimeoutIntervalMs);
}

/** The interval, give or take a tenth, so that processes started together do not poll together. */
export function jittered(intervalMs: number, entropy: Entropy): number {
  return intervalMs * (0.9 + 0.2 * entropy.random());
}
