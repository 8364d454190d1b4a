// Time and timers, as the engine and the scheduler use them; replaced in tests.

/** Where time comes from. Default: the system's. A test's clock can run a month in a millisecond. */
export interface Clock {
  /** Milliseconds since 1970; may jump when somebody sets the clock. */
  now(): number;
  /** Milliseconds since some fixed moment; never jumps, never goes back. May have a fraction. */
  monotonic(): number;
  /**
   * Calls `callback` once, not before `delayMs` have passed (0 or more; any length, years too).
   * A pending timer of the default clock does not keep the process alive unless `keepAlive` is true.
   * @returns a function that takes the timer back; harmless afterwards.
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly keepAlive?: boolean }): () => void;
}
