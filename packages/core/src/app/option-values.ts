// What options are made of: whole numbers and lengths of time, checked.
import { durationMs, type Duration } from '../domain/duration.js';
import { ConfigurationError } from '../domain/errors.js';

/** @throws ConfigurationError when it is no whole number from 1. */
export function wholeNumber(value: number | undefined, option: string, fallback: number): number {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ConfigurationError(`${option} is ${String(value)}; it takes a whole number from 1`, { option });
  }
  return value;
}

/** Milliseconds. @throws ConfigurationError when it is no duration, or shorter than `least` milliseconds. */
export function interval(value: Duration | undefined, option: string, fallback: number, least = 10): number {
  if (value === undefined) return fallback;
  const ms = durationMs(value, option);
  if (ms < least)
    throw new ConfigurationError(`${option} is ${JSON.stringify(value)}; it takes at least ${least} ms`, { option });
  return ms;
}
