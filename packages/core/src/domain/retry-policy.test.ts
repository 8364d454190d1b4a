// Retries: how options lie over each other, when the next attempt comes, and what ends them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestDurationMs } from './duration.js';
import { ActivityFailedError, ConfigurationError, TerminalError } from './errors.js';
import {
  defaultRetryPolicy,
  isNonRetryable,
  resolveRetryPolicy,
  retryDelayMs,
  type RetryOptions,
  type RetryPolicy,
} from './retry-policy.js';

class PaymentDeclined extends Error {}

function policy(changes: Partial<RetryPolicy>): RetryPolicy {
  return { ...defaultRetryPolicy, ...changes };
}

describe('options over a policy', () => {
  test('none leave it as it is', () => {
    expect(resolveRetryPolicy(undefined, defaultRetryPolicy, 'retry')).toBe(defaultRetryPolicy);
    expect(resolveRetryPolicy({}, defaultRetryPolicy, 'retry')).toEqual(defaultRetryPolicy);
  });

  test('each member that is set replaces one', () => {
    const app = resolveRetryPolicy(
      { maxAttempts: 7, jitter: false, nonRetryable: [PaymentDeclined] },
      defaultRetryPolicy,
      'retry',
    );
    const own = resolveRetryPolicy(
      { firstDelay: '2s', factor: 3, maxDelay: '1h', maxDuration: '1d', maxAttempts: Number.POSITIVE_INFINITY },
      app,
      'retry of charge',
    );
    expect(own).toEqual({
      maxAttempts: Number.POSITIVE_INFINITY,
      firstDelayMs: 2000,
      factor: 3,
      maxDelayMs: 3_600_000,
      jitter: false,
      maxDurationMs: 86_400_000,
      nonRetryable: [PaymentDeclined],
    });
    expect(Object.isFrozen(own)).toBe(true);
  });

  test.each<[unknown, string, string]>([
    [{ maxAttempts: 0 }, 'retry.maxAttempts', '0'],
    [{ maxAttempts: 1.5 }, 'retry.maxAttempts', '1.5'],
    [{ maxAttempts: Number.NaN }, 'retry.maxAttempts', 'NaN'],
    [{ maxAttempts: '5' }, 'retry.maxAttempts', '5'],
    [{ factor: 0.5 }, 'retry.factor', '0.5'],
    [{ factor: Number.POSITIVE_INFINITY }, 'retry.factor', 'Infinity'],
    [{ firstDelay: '1x' }, 'retry.firstDelay', '"1x"'],
    [{ maxDelay: -1 }, 'retry.maxDelay', '-1'],
    [{ maxDuration: Number.NaN }, 'retry.maxDuration', 'NaN'],
    [{ jitter: 'no' }, 'retry.jitter', 'no'],
    [{ nonRetryable: PaymentDeclined }, 'retry.nonRetryable', 'function'],
    [{ nonRetryable: [PaymentDeclined, 'PaymentDeclined'] }, 'retry.nonRetryable[1]', 'string'],
    [{ nonRetryable: [() => true] }, 'retry.nonRetryable[0]', 'function'],
    [{ nonRetryable: [undefined] }, 'retry.nonRetryable[0]', 'undefined'],
  ])('%o is refused by name', (options, option, shown) => {
    let refused: unknown;
    try {
      resolveRetryPolicy(options as RetryOptions, defaultRetryPolicy, 'retry');
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(ConfigurationError);
    expect(refused).toMatchObject({ option, message: expect.stringContaining(`${option} is ${shown}; it takes`) as string });
  });
});

describe('options that are none', () => {
  test.each([5, 'always', null, [], () => 3])('%o is refused as a whole', (options) => {
    const resolve = () => resolveRetryPolicy(options as RetryOptions, defaultRetryPolicy, 'retry');
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(/^retry is .*maxAttempts/);
  });

  test('a misspelt one is refused, with those that there are', () => {
    const resolve = (options: object) => resolveRetryPolicy(options, defaultRetryPolicy, 'retry of charge');
    expect(() => resolve({ attempts: 3 })).toThrow('retry of charge.attempts is no option; there are maxAttempts, firstDelay');
    expect(resolve({ attempts: undefined })).toEqual(defaultRetryPolicy);
  });
});

describe('no limit', () => {
  test('is said by Infinity, or by leaving the limit out', () => {
    const endless = { maxAttempts: Infinity, maxDelay: Infinity, maxDuration: Infinity };
    const over = policy({ maxDurationMs: 5, maxDelayMs: 5 });
    expect(resolveRetryPolicy(endless, over, 'retry')).toMatchObject({
      maxAttempts: Infinity,
      maxDelayMs: longestDurationMs,
      maxDurationMs: Infinity,
    });
  });

  test('of delays still leaves each of them one that a date can hold', () => {
    const endless = resolveRetryPolicy({ maxDelay: Infinity, jitter: false }, defaultRetryPolicy, 'retry');
    expect(retryDelayMs(endless, 12, 0)).toBe(2_048_000);
    for (const failed of [100, 2000, 1_000_000]) expect(retryDelayMs(endless, failed, 0)).toBe(longestDurationMs);
  });
});

describe('the delay before the next attempt', () => {
  test('grows by the factor up to the longest', () => {
    const plain = policy({ jitter: false, firstDelayMs: 1000, factor: 2, maxDelayMs: 60_000 });
    expect([1, 2, 3, 6, 7, 8].map((failed) => retryDelayMs(plain, failed, 0.5))).toEqual([
      1000, 2000, 4000, 32_000, 60_000, 60_000,
    ]);
    expect(retryDelayMs(policy({ jitter: false, firstDelayMs: 500, maxDelayMs: 100 }), 1, 0)).toBe(100);
    expect(retryDelayMs(policy({ jitter: false, firstDelayMs: 70, factor: 1 }), 40, 0)).toBe(70);
  });

  test('is drawn from its upper half', () => {
    expect(retryDelayMs(policy({ firstDelayMs: 1000 }), 1, 0)).toBe(500);
    expect(retryDelayMs(policy({ firstDelayMs: 1000 }), 1, 0.5)).toBe(750);
    expect(retryDelayMs(policy({ firstDelayMs: 1000 }), 1, 1 - 2 ** -53)).toBe(1000);
  });

  test('is a whole number within its bounds after any number of failures', () => {
    const delays = fc.record({
      firstDelayMs: fc.constantFrom(0, 1, 1000, 86_400_000),
      maxDelayMs: fc.constantFrom(0, 1, 60_000, 10 * 86_400_000),
      factor: fc.double({ min: 1, max: 1000, noNaN: true }),
      jitter: fc.boolean(),
    });
    fc.assert(
      fc.property(
        delays,
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (changes, failed, random) => {
          const delay = retryDelayMs(policy(changes), failed, random);
          expect(Number.isSafeInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(changes.maxDelayMs);
        },
      ),
    );
  });
});

describe('what ends the retries', () => {
  const listed = policy({ nonRetryable: [PaymentDeclined] });

  test('a TerminalError always does, itself or as a cause', () => {
    class GaveUp extends TerminalError {}
    for (const error of [
      new TerminalError('e'),
      new GaveUp('e'),
      new Error('outer', { cause: new Error('middle', { cause: new GaveUp('e') }) }),
    ]) {
      expect(isNonRetryable(error, defaultRetryPolicy)).toBe(true);
    }
  });

  test('a listed class does, itself, derived, or as a cause', () => {
    class CardStolen extends PaymentDeclined {}
    const wrapped = new ActivityFailedError({ activityId: 'charge:1', attempts: 1, cause: new CardStolen() });
    for (const error of [new PaymentDeclined(), new CardStolen(), wrapped]) {
      expect(isNonRetryable(error, listed)).toBe(true);
      expect(isNonRetryable(error, defaultRetryPolicy)).toBe(false);
    }
  });

  test('nothing else does, and no circle of causes holds it up', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    for (const thrown of [new Error('e'), circle, 'text', null, undefined, { cause: new TerminalError('e') }]) {
      expect(isNonRetryable(thrown, listed)).toBe(false);
    }
  });
});
