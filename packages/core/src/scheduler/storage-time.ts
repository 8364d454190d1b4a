// The storage's clock, as far as this process can know it between two answers.
import type { StorageTime } from '../engine/run-services.js';
import type { Clock } from '../ports/clock.js';

/** A sample that took longer than the one in use replaces it only when that one is older than this, in milliseconds. */
const sampleLifeMs = 10_000;

/**
 * Each answer of the storage tells its time. That moment lies between sending the question and receiving the answer, measured on
 * this process's monotonic clock, which nobody can set: so two bounds hold, and no jump of the local wall clock moves a timer.
 */
export class StorageClock implements StorageTime {
  readonly #clock: Clock;
  #storage: number;
  #sentAt: number;
  #receivedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#storage = clock.now();
    this.#sentAt = clock.monotonic();
    this.#receivedAt = this.#sentAt;
  }

  /** Replaces whatever was believed: the first answer. */
  set(now: number, sentAt: number): void {
    this.#storage = now;
    this.#sentAt = sentAt;
    this.#receivedAt = this.#clock.monotonic();
  }

  /** Takes the `now` of an answer to a question sent at `sentAt` on the monotonic clock. */
  observe(now: number, sentAt: number): void {
    const receivedAt = this.#clock.monotonic();
    const isCloser = receivedAt - sentAt <= this.#receivedAt - this.#sentAt;
    if (isCloser || receivedAt - this.#receivedAt > sampleLifeMs) this.set(now, sentAt);
  }

  now(): number {
    return this.#storage + (this.#clock.monotonic() - this.#receivedAt);
  }

  ahead(): number {
    return Math.ceil(this.#storage + (this.#clock.monotonic() - this.#sentAt));
  }
}
