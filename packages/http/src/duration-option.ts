// Options that are lengths of time.
import { ConfigurationError, type Duration } from '@romancy/core';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The longest time that a timer of JavaScript can wait. */
const longestMs = 2 ** 31 - 1;

/**
 * Whole milliseconds, at least 1; null for `Infinity`: no limit.
 * @throws ConfigurationError
 */
export function timeLimit(option: string, value: Duration): number | null {
  if (value === Number.POSITIVE_INFINITY) return null;
  const ms = typeof value === 'number' ? value : parse(value);
  if (!(ms >= 1 && ms <= longestMs)) {
    throw new ConfigurationError(
      `${option} is ${JSON.stringify(value)}; it takes 1 to ${longestMs} milliseconds, as a number or a string such as '500ms', '30s', '1m30s', or Infinity`,
      { option },
    );
  }
  return Math.ceil(ms);
}

function parse(text: unknown): number {
  if (typeof text !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) total += Number(amount) * unitMs[unit!]!;
  return total;
}
