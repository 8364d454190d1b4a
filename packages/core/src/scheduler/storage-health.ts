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
    for (let failures = 0; ; failures++) {
      signal?.throwIfAborted();
      try {
        const result = await call();
        this.#recovered();
        return result;
      } catch (error) {
        if (!(error instanceof StorageUnavailableError)) throw error;
        this.#failed(error);
        const most = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures, 20));
        await this.pause(most * this.#entropy.random(), signal);
      }
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

  #recovered(): void {
    if (this.#unavailableSince === null) return;
    const downMs = Math.round(this.#clock.monotonic() - this.#unavailableSince);
    this.#unavailableSince = null;
    this.#logger.info('storage available again', { storage: this.#description, downMs });
  }
}
