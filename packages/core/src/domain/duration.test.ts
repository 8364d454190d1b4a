// Durations: what is taken, how it is rounded, and what is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, longestDurationMs, timeLimitMs, type Duration } from './duration.js';
import { ConfigurationError } from './errors.js';

test.each<[Duration, number]>([
  [0, 0],
  [1, 1],
  [1500, 1500],
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['1h30m', 5_400_000],
  ['1d12h', 129_600_000],
  ['1m1m', 120_000],
  ['1h30m15s' as Duration, 5_415_000],
  ['1.5s', 1500],
  ['0.5ms', 1],
  [longestDurationMs, longestDurationMs],
])('%o is %d ms', (duration, ms) => {
  expect(durationMs(duration, 'timeout')).toBe(ms);
});

describe('a part of a millisecond is rounded up', () => {
  test.each<[Duration, number]>([
    [0.1, 1],
    [1.000001, 2],
    [Number.MIN_VALUE, 1],
    ['1.0005s', 1001],
  ])('%o is %d ms', (duration, ms) => {
    expect(durationMs(duration, 'timeout')).toBe(ms);
  });

  test.each<[Duration, number]>([
    ['0.07h', 252_000],
    ['1.1h', 3_960_000],
    ['2.3s', 2300],
    ['1.001s', 1001],
    ['8.2m', 492_000],
    [0.1 * 3 * 10, 3],
  ])('but not what a binary fraction adds: %o is %d ms', (duration, ms) => {
    expect(durationMs(duration, 'timeout')).toBe(ms);
  });
});

test('is whole and not shorter than told, and thousandths of a unit are exact', () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
      (thousandths, unit) => {
        const text = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}${unit}` as Duration;
        expect(durationMs(text, 'timeout')).toBe(Math.ceil((thousandths * units[unit]) / 1000));
      },
    ),
  );
  fc.assert(
    fc.property(fc.double({ min: 0, max: longestDurationMs, noNaN: true }), (ms) => {
      const whole = durationMs(ms, 'timeout');
      expect(Number.isSafeInteger(whole)).toBe(true);
      expect(whole).toBeGreaterThanOrEqual(ms * (1 - 2 ** -50));
      expect(whole - ms).toBeLessThanOrEqual(1);
    }),
  );
});

test.each<[unknown, string]>([
  [-1, '-1'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [longestDurationMs + 1, String(longestDurationMs + 1)],
  ['', '""'],
  ['5', '"5"'],
  ['5 m', '"5 m"'],
  ['-5m', '"-5m"'],
  ['5M', '"5M"'],
  ['5min', '"5min"'],
  ['1e3s', '"1e3s"'],
  ['.5s', '".5s"'],
  ['m', '"m"'],
  ['1 month', '"1 month"'],
  ['99999999999d', '"99999999999d"'],
  [5n, 'bigint'],
  [undefined, 'undefined'],
  [null, 'object'],
  [Symbol('s'), 'symbol'],
  [['5m'], 'object'],
])('%o is refused by name', (duration, shown) => {
  let refused: unknown;
  try {
    durationMs(duration as Duration, 'sleep');
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(ConfigurationError);
  expect(refused).toMatchObject({ option: 'sleep', message: expect.stringContaining(`sleep is ${shown}; it takes`) as string });
});

test('a time limit of Infinity is none; all else is a duration', () => {
  expect(timeLimitMs(Number.POSITIVE_INFINITY, 'timeout')).toBeNull();
  expect(timeLimitMs('5m', 'timeout')).toBe(300_000);
  expect(timeLimitMs(0, 'timeout')).toBe(0);
  for (const odd of [-Infinity, Number.NaN, -1, 'Infinity' as Duration]) {
    expect(() => timeLimitMs(odd, 'timeout')).toThrow(ConfigurationError);
  }
});
