// The time of day in fractions of a millisecond.

/**
 * Milliseconds since 1970, for what lies close together: the wall clock as it was when the process began, and its monotonic clock since.
 * Where the wall clock has been set meanwhile, the two differ by that.
 */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
