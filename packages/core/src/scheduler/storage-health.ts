// Tries again while the storage is unavailable, and says once that it is and once that it is not.
import { StorageUnavailableError } from '../domain/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Entropy } from '../ports/entropy.js';
import type { Logger } from '../ports/logger.js';
import { onAbort } from './on-abort.js';

const firstDelayMs = 20;
const longestDelayMs = 5000;

/** One per app: all that talks to the storage goes through it, so that an outage is one line of log and not one per caller. */
export class StorageHealth {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #logger: Logger;
  readonly #description: string;
  #unavailableSince: number | null = null;
  /** How many calls have failed and are being tried again. */
  #failing = 0;

  constructor(parts: {
    readonly clock: Clock;
    readonly entropy: Entropy;
    readonly logger: Logger;
    readonly description: string;
  }) {
    this.#clock = parts.clock;
    this.#entropy = parts.entropy;
    this.#logger = parts.logger;
    this.#description = parts.description;
  }

  get available(): boolean {
    return this.#unavailableSince === null;
  }

  /**
   * Calls until it succeeds, fails for a reason that does not pass, or `signal` aborts (then rejects with its reason).
   * Only for calls that can be repeated without harm. Delays double from 20 ms to 5 s, with full jitter.
   */
  async keepTrying<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let failures = 0;
    try {
      for (;;) {
        signal?.throwIfAborted();
        try {
          const result = await call();
          this.#succeeded(failures > 0);
          return result;
        } catch (error) {
          if (!(error instanceof StorageUnavailableError)) throw error;
          if (failures === 0) this.#failing++;
          this.#failed(error);
          const most = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures, 20));
          failures++;
          await this.pause(most * this.#entropy.random(), signal);
        }
      }
    } finally {
      if (failures > 0) this.#failing--;
    }
  }

  /** Resolves after the delay, or as soon as `signal` aborts. */
  pause(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let ignore: () => void = () => undefined;
      const cancel = this.#clock.schedule(
        delayMs,
        () => {
          ignore();
          resolve();
        },
        { keepAlive: true },
      );
      if (signal === undefined) return;
      ignore = onAbort(signal, () => {
        cancel();
        resolve();
      });
    });
  }

  #failed(error: StorageUnavailableError): void {
    if (this.#unavailableSince !== null) return;
    this.#unavailableSince = this.#clock.monotonic();
    this.#logger.warn('storage unavailable, trying again until it answers', { storage: this.#description, error: error.message });
  }

  /**
   * While others go on failing, a success says nothing: with a full disk or a kept write lock reads succeed all the time. Those that fail
   * now may as well give up; then the next success counts.
   */
  #succeeded(hadFailed: boolean): void {
    if (this.#unavailableSince === null || this.#failing > (hadFailed ? 1 : 0)) return;
    const downMs = Math.round(this.#clock.monotonic() - this.#unavailableSince);
    this.#unavailableSince = null;
    this.#logger.info('storage available again', { storage: this.#description, downMs });
  }
}
