// Medians, quantiles and what rounds come to.
import { expect, test } from 'vitest';
import { compare, median, quantile, quantilePair } from '../src/statistics.js';

test('a median lies in the middle, between the two middle values of an even number', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('a quantile is interpolated and leaves its values as they are', () => {
  const values = [30, 10, 20];
  expect(quantile(values, 0)).toBe(10);
  expect(quantile(values, 1)).toBe(30);
  expect(quantile(values, 0.75)).toBe(25);
  expect(values).toEqual([30, 10, 20]);
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

test('the ratio is the median of the ratios, not the ratio of the medians', () => {
  const pairs = [
    { romancy: 10, raw: 5 },
    { romancy: 100, raw: 50 },
    { romancy: 20, raw: 200 },
  ];
  expect(compare(pairs)).toEqual({ romancy: 20, raw: 50, ratio: 2, spread: [0.1, 2] });
});

test('a quantile of pairs is one of each side for itself', () => {
  const pairs = [
    { romancy: 1, raw: 30 },
    { romancy: 2, raw: 10 },
    { romancy: 3, raw: 20 },
  ];
  expect(quantilePair(pairs, 0.5)).toEqual({ romancy: 2, raw: 20 });
});
