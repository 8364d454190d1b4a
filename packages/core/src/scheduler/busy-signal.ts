// Tells other processes that this one has runs, or events to send, in memory, so that they watch whether it dies.
import type { Clock } from '../ports/clock.js';

/** What is over sooner is not worth a watch. */
const worthMs = 200;
const intervalMs = 1000;

export interface BusySignalParts {
  readonly clock: Clock;
  readonly isBusy: () => boolean;
  /** Sends the wake-up. */
  readonly tell: () => void;
}

/** One timer at most, which short runs neither move nor cancel: so they cost it nothing. */
export class BusySignal {
  readonly #parts: BusySignalParts;
  #cancelTimer: (() => void) | null = null;
  #since = 0;
  #isTold = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(parts: BusySignalParts) {
    this.#parts = parts;
  }

  /** There was no run or event, now there is one; or: what was told before may not have counted. */
  began(): void {
    if (this.#isStopped) return;
    this.#since = this.#parts.clock.monotonic();
    this.#isTold = false;
    if (this.#cancelTimer === null) this.#arm(worthMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  #arm(delayMs: number): void {
    this.#cancelTimer = this.#parts.clock.schedule(delayMs, () => {
      this.#cancelTimer = null;
      if (this.#isTold || !this.#parts.isBusy()) return;
      const now = this.#parts.clock.monotonic();
      const wait = Math.max(this.#since + worthMs, this.#toldAt + intervalMs) - now;
      if (wait > 0) {
        this.#arm(wait);
        return;
      }
      this.#isTold = true;
      this.#toldAt = now;
      this.#parts.tell();
    });
  }
}
