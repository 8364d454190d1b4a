// Says once that events cannot be sent, and once that they can again.
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';

/** One that fails and then succeeds is nothing to speak of. */
const fewestFailures = 3;
const fewestSuccesses = 3;
/** So long after the last failure, one success is enough. */
const calmMs = 10_000;
/** Where some receivers are down and others are not, the state goes to and fro: it is told no more often than this. */
const longestSilenceMs = 60_000;

/** Counts over all streams: which receiver an event goes to, only the user's function knows. */
export class SinkWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #failures = 0;
  #successes = 0;
  /** By the monotonic clock. */
  #failedAt = 0;
  #downSince = 0;
  #isDown = false;
  #isTold = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(parts: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** An attempt failed in a way that passes. */
  failed(error: unknown): void {
    const now = this.#clock.monotonic();
    this.#failedAt = now;
    this.#successes = 0;
    if (++this.#failures < fewestFailures) return;
    if (!this.#isDown) this.#downSince = now;
    this.#isDown = true;
    if (this.#isTold || now - this.#toldAt < longestSilenceMs) return;
    this.#isTold = true;
    this.#toldAt = now;
    this.#logger.warn('events cannot be sent, trying again until they can', { failures: this.#failures, error: String(error) });
  }

  /** The receiver answered: it took the event, or refused it for good. */
  answered(): void {
    this.#failures = 0;
    if (!this.#isDown) return;
    const now = this.#clock.monotonic();
    if (++this.#successes < fewestSuccesses && now - this.#failedAt < calmMs) return;
    this.#isDown = false;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#logger.info('events can be sent again', { downMs: Math.round(now - this.#downSince) });
  }
}
