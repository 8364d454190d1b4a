// A clock that moves only when a test says so.
import { durationMs, type Duration } from '../domain/duration.js';
import type { Clock } from '../ports/clock.js';

export interface ManualClockOptions {
  /** What the wall clock shows at first, in milliseconds since 1970. Default: 1 January 2030, 00:00 UTC. */
  readonly now?: number;
  /** Lets what a fired timer began come to rest, before the next one fires. Default: {@link settleTurns}. */
  readonly settle?: () => Promise<void>;
}

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** So many timers at one moment can only be a circle that never lets time pass. */
const circleLimit = 100_000;

/**
 * Time in the hand of a test: a month passes in the time that its timers take to run. Timers follow the monotonic time alone; the
 * wall clock can be set, as somebody might set it in production.
 */
export class ManualClock implements Clock {
  readonly #settle: () => Promise<void>;
  /** Ascending by due time; at equal times in the order in which they were scheduled. */
  readonly #timers: Timer[] = [];
  #monotonic = 0;
  #wallOffset: number;
  /** Advances that were called while another one runs wait for it. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ManualClockOptions = {}) {
    this.#wallOffset = options.now ?? Date.UTC(2030, 0, 1);
    this.#settle = options.settle ?? (() => settleTurns(12));
  }

  now(): number {
    return this.#wallOffset + this.#monotonic;
  }

  /** Milliseconds since the clock was made. */
  monotonic(): number {
    return this.#monotonic;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { dueAt: this.#monotonic + Math.max(0, delayMs), callback };
    let place = this.#timers.length;
    while (place > 0 && this.#timers[place - 1]!.dueAt > timer.dueAt) place--;
    this.#timers.splice(place, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** How many timers are pending: 0 after everything was stopped as it should. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next timer is due; undefined when none is pending. */
  get nextTimerIn(): number | undefined {
    const next = this.#timers[0];
    return next === undefined ? undefined : next.dueAt - this.#monotonic;
  }

  /**
   * Lets time pass. Each timer that becomes due runs at its time, those too that come up on the way, and what it began comes to rest
   * before the next one.
   * @throws what a timer's callback throws; time then stands where that timer was due.
   */
  advance(duration: Duration): Promise<void> {
    const ms = durationMs(duration, 'duration');
    return this.#enqueue(() => this.#moveTo(this.#monotonic + ms));
  }

  /**
   * Lets time pass until the wall clock shows `wallMs` milliseconds since 1970.
   * @throws ConfigurationError when that is in the past.
   */
  advanceTo(wallMs: number): Promise<void> {
    return this.#enqueue(() => this.#moveTo(this.#monotonic + durationMs(wallMs - this.now(), 'the way to wallMs')));
  }

  /** Jumps to the next timer that is pending and runs all that are due then. @returns false when none is pending. */
  runNext(): Promise<boolean> {
    return this.#enqueue(async () => {
      await this.#settle();
      const wait = this.nextTimerIn;
      if (wait === undefined) return false;
      await this.#moveTo(this.#monotonic + wait);
      return true;
    });
  }

  /**
   * Lets time pass in one leap, as over the sleep of a computer: timers that became due run afterwards, all at the later time, and
   * what repeats does so once. A month of polls takes no longer than one.
   */
  jump(duration: Duration): Promise<void> {
    const ms = durationMs(duration, 'duration');
    return this.#enqueue(async () => {
      await this.#settle();
      this.#monotonic += ms;
      await this.#moveTo(this.#monotonic);
      await this.#settle();
    });
  }

  /** Sets what the wall clock shows, in milliseconds since 1970, forwards or back. No timer comes sooner or later by it. */
  setWallClock(wallMs: number): void {
    this.#wallOffset = wallMs - this.#monotonic;
  }

  async #moveTo(target: number): Promise<void> {
    await this.#settle();
    let atOnce = 0;
    for (let next = this.#timers[0]; next !== undefined && next.dueAt <= target; next = this.#timers[0]) {
      atOnce = next.dueAt > this.#monotonic ? 0 : atOnce + 1;
      if (atOnce > circleLimit) throw new Error(`more than ${circleLimit} timers ran at one moment: time cannot pass`);
      this.#monotonic = Math.max(this.#monotonic, next.dueAt);
      this.#timers.shift();
      next.callback();
      // Timers of one moment run in one go, as those of the system do: what they began rests before time moves on.
      if (this.#timers[0]?.dueAt !== this.#monotonic) await this.#settle();
    }
    this.#monotonic = Math.max(this.#monotonic, target);
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** Lets that many turns of the event loop pass: all promises settle in each, and chains of that many `setImmediate`. */
export async function settleTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
