// How often and when a failed activity is tried again.
import { durationMs, longestDurationMs, timeLimitMs, type Duration } from './duration.js';
import { ConfigurationError, TerminalError } from './errors.js';
import { checkKnownOptions, namesOf } from './known-options.js';

/** An error class, for lists of classes; abstract ones too. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a constructor's parameters are contravariant: only `any` takes all classes
export type ErrorClass = abstract new (...args: any[]) => Error;

/** What a user may set; each missing member comes from the app's `retry`, then from {@link defaultRetryPolicy}. */
export interface RetryOptions {
  /** Attempts in all, the first one counted. 1: no retry. `Infinity`: for ever. Default 5. */
  readonly maxAttempts?: number;
  /** Delay before the second attempt. Default 1 s. */
  readonly firstDelay?: Duration;
  /** Each delay is that many times the one before. Default 2. */
  readonly factor?: number;
  /** No delay is longer. `Infinity`: they grow without a cap. Default 60 s. */
  readonly maxDelay?: Duration;
  /** Each delay is drawn from the upper half of its length, so that what failed together does not come back together. Default true. */
  readonly jitter?: boolean;
  /** No attempt starts later than this after the first one failed. Default, and `Infinity`: no limit. */
  readonly maxDuration?: Duration;
  /** Errors of these classes (or caused by one) end the retries at once. {@link TerminalError} always does. Default: none. */
  readonly nonRetryable?: readonly ErrorClass[];
}

/** A policy with every member set; times in milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly firstDelayMs: number;
  readonly factor: number;
  /** At most the longest duration that there is: a due time must stay a date. */
  readonly maxDelayMs: number;
  readonly jitter: boolean;
  /** Infinity: no limit. */
  readonly maxDurationMs: number;
  readonly nonRetryable: readonly ErrorClass[];
}

export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  maxAttempts: 5,
  firstDelayMs: 1000,
  factor: 2,
  maxDelayMs: 60_000,
  jitter: true,
  maxDurationMs: Number.POSITIVE_INFINITY,
  nonRetryable: Object.freeze([]),
});

const optionNames = namesOf<RetryOptions>({
  maxAttempts: true,
  firstDelay: true,
  factor: true,
  maxDelay: true,
  jitter: true,
  maxDuration: true,
  nonRetryable: true,
});

/**
 * Options laid over a policy, checked.
 * @throws ConfigurationError naming the member that is out of range.
 */
export function resolveRetryPolicy(options: RetryOptions | undefined, base: RetryPolicy, what: string): RetryPolicy {
  if (options === undefined) return base;
  checkKnownOptions(options, optionNames, what);
  const maxAttempts = options.maxAttempts ?? base.maxAttempts;
  if (!(maxAttempts === Number.POSITIVE_INFINITY || (Number.isSafeInteger(maxAttempts) && maxAttempts >= 1))) {
    throw outOfRange(`${what}.maxAttempts`, maxAttempts, 'a whole number from 1, or Infinity');
  }
  const factor = options.factor ?? base.factor;
  if (!Number.isFinite(factor) || factor < 1) throw outOfRange(`${what}.factor`, factor, 'a number from 1');
  const jitter = options.jitter ?? base.jitter;
  if (typeof jitter !== 'boolean') throw outOfRange(`${what}.jitter`, jitter, 'true or false');
  const nonRetryable = options.nonRetryable ?? base.nonRetryable;
  if (!Array.isArray(nonRetryable)) throw outOfRange(`${what}.nonRetryable`, typeof nonRetryable, 'a list of error classes');
  nonRetryable.forEach((item: unknown, index) => {
    // An arrow function has no prototype: `instanceof` would throw at the first failure.
    if (typeof item === 'function' && typeof item.prototype === 'object') return;
    throw outOfRange(`${what}.nonRetryable[${index}]`, typeof item, 'an error class');
  });
  return Object.freeze({
    maxAttempts,
    factor,
    firstDelayMs: options.firstDelay === undefined ? base.firstDelayMs : durationMs(options.firstDelay, `${what}.firstDelay`),
    maxDelayMs:
      options.maxDelay === undefined ? base.maxDelayMs : (timeLimitMs(options.maxDelay, `${what}.maxDelay`) ?? longestDurationMs),
    jitter,
    maxDurationMs:
      options.maxDuration === undefined
        ? base.maxDurationMs
        : (timeLimitMs(options.maxDuration, `${what}.maxDuration`) ?? Number.POSITIVE_INFINITY),
    nonRetryable,
  });
}

/**
 * Milliseconds to wait after the `failed`th failed attempt (1 for the first), before the next.
 * @param random a number from 0 up to but not including 1, for the jitter.
 */
export function retryDelayMs(policy: RetryPolicy, failed: number, random: number): number {
  // The factor's power grows to Infinity, and 0 times that is no number.
  const full = policy.firstDelayMs === 0 ? 0 : Math.min(policy.maxDelayMs, policy.firstDelayMs * policy.factor ** (failed - 1));
  return Math.round(policy.jitter ? full / 2 + (full / 2) * random : full);
}

/** Whether no further attempt can help: a {@link TerminalError} or a listed class, the error itself or one of its causes. */
export function isNonRetryable(error: unknown, policy: RetryPolicy): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 32; current = current.cause, depth++) {
    if (current instanceof TerminalError) return true;
    if (policy.nonRetryable.some((errorClass) => current instanceof errorClass)) return true;
  }
  return false;
}

function outOfRange(option: string, value: unknown, allowed: string): ConfigurationError {
  return new ConfigurationError(`${option} is ${String(value)}; it takes ${allowed}`, { option });
}
