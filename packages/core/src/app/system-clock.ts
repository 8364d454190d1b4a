// Time and timers of the system: the default of the clock port.
import type { Clock } from '../ports/clock.js';

/** The longest delay that setTimeout takes; a longer one would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * `Date.now`, `performance.now` and `setTimeout`. The globals are looked up at each call, so that the fake timers of a test runner
 * work here as elsewhere (they must fake `performance` too, which is their default).
 */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs: number, callback: () => void, options?: { readonly keepAlive?: boolean }) {
    const dueAt = performance.now() + Math.max(0, delayMs);
    let timer: NodeJS.Timeout | undefined;
    // Never called from within schedule, also when nothing is left to wait for: a caller may still be in the middle of its own work.
    const arm = (remainingMs: number): void => {
      timer = setTimeout(elapsed, Math.min(Math.ceil(remainingMs), longestTimeoutMs));
      if (options?.keepAlive !== true) timer.unref();
    };
    // Reached when a part of a long delay is over, but also too early: setTimeout counts in whole milliseconds from a time that
    // the event loop took before, and may fire up to one of them before the moment that was asked for.
    const elapsed = (): void => {
      const remainingMs = dueAt - performance.now();
      if (remainingMs > 0) return arm(remainingMs);
      callback();
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
});
