// Durations: '5m'-style strings or milliseconds, turned into whole milliseconds.
import { ConfigurationError } from './errors.js';

/**
 * A length of time: a number of milliseconds, or a string of one or more amounts with units, largest first by habit:
 * `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'1h30m'`, `'7d'`, `'2w'`. A month and a year have no fixed length and are not units.
 */
export type Duration = number | DurationString;

/** The string form of a {@link Duration}; the type catches a missing unit, {@link durationMs} the rest. */
export type DurationString = `${number}${DurationUnit}` | `${number}${DurationUnit}${number}${DurationUnit}`;

/** Milliseconds, seconds, minutes, hours, days (of 24 hours), weeks. */
export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

const unitMs: Readonly<Record<DurationUnit, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const shape = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;

/** The longest duration that is taken: 10,000 years, so that any due time stays a date that databases can hold. */
export const longestDurationMs = 10_000 * 365 * 86_400_000;

/**
 * Whole milliseconds of a duration, rounded up, so that nothing waits for less than it was told.
 * @param what names the option or argument in the error.
 * @throws ConfigurationError when it is negative, not finite, without unit, or longer than {@link longestDurationMs}.
 */
export function durationMs(duration: Duration, what: string): number {
  const ms = typeof duration === 'number' ? duration : parse(duration);
  if (!Number.isFinite(ms) || ms < 0 || ms > longestDurationMs) {
    const shown =
      typeof duration === 'string' ? JSON.stringify(duration) : typeof duration === 'number' ? duration : typeof duration;
    throw new ConfigurationError(
      `${what} is ${shown}; it takes milliseconds (0 or more) or a string such as '250ms', '30s', '5m', '1h30m', '7d'`,
      { option: what },
    );
  }
  // '0.07h' is 252,000 ms plus what binary fractions add to it, and that is no reason for one more.
  const nearest = Math.round(ms);
  return Math.abs(ms - nearest) <= ms * 2 ** -50 ? nearest : Math.ceil(ms);
}

/**
 * Whole milliseconds of a time limit; null for `Infinity`: no limit.
 * @param what names the option or argument in the error.
 * @throws ConfigurationError like {@link durationMs}.
 */
export function timeLimitMs(limit: Duration, what: string): number | null {
  return limit === Number.POSITIVE_INFINITY ? null : durationMs(limit, what);
}

function parse(text: unknown): number {
  if (typeof text !== 'string' || !shape.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(part)) total += Number(amount) * unitMs[unit as DurationUnit];
  return total;
}
