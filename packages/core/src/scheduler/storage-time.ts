// The storage's clock, as far as this process can know it between two answers.
import type { StorageTime } from '../engine/run-services.js';
import type { Clock } from '../ports/clock.js';

/** Bounds older than this are replaced by the next answer, in milliseconds: clocks drift, and databases fail over. */
const boundLifeMs = 10_000;

/**
 * Each answer of the storage tells its time. That moment lies between sending the question and receiving the answer, measured on
 * this process's monotonic clock, which nobody can set: so the difference of the two clocks has a lower and an upper bound, each
 * answer can only narrow them, and no jump of the local wall clock moves a timer.
 *
 * The lower bound is never behind the latest answer: an instance that the storage handed out as due is due here too.
 */
export class StorageClock implements StorageTime {
  readonly #clock: Clock;
  #lower: number;
  #upper: number;
  #lowerSince = 0;
  #upperSince = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lower = clock.now() - clock.monotonic();
    this.#upper = this.#lower;
  }

  /** Forgets what was believed and takes this answer: the first one. */
  set(now: number, sentAt: number): void {
    const receivedAt = this.#clock.monotonic();
    this.#lower = now - receivedAt;
    this.#upper = now - sentAt;
    this.#lowerSince = this.#upperSince = receivedAt;
  }

  /** Takes the `now` of an answer to a question sent at `sentAt` on the monotonic clock. */
  observe(now: number, sentAt: number): void {
    const receivedAt = this.#clock.monotonic();
    const lower = now - receivedAt;
    const upper = now - sentAt;
    // Bounds that exclude each other: the storage's clock was set.
    if (upper < this.#lower || lower > this.#upper) {
      this.set(now, sentAt);
      return;
    }
    if (lower >= this.#lower || receivedAt - this.#lowerSince > boundLifeMs) {
      this.#lower = lower;
      this.#lowerSince = receivedAt;
    }
    if (upper <= this.#upper || receivedAt - this.#upperSince > boundLifeMs) {
      this.#upper = upper;
      this.#upperSince = receivedAt;
    }
  }

  now(): number {
    return this.#clock.monotonic() + this.#lower;
  }

  ahead(): number {
    return Math.ceil(this.#clock.monotonic() + this.#upper);
  }
}
