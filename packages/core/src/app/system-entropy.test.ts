// The system's randomness keeps the promises of the port.
import { expect, test } from 'vitest';
import { systemEntropy } from './system-entropy.js';

test('numbers lie from 0 up to but not including 1, and differ', () => {
  const numbers = Array.from({ length: 1000 }, () => systemEntropy.random());
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(990);
});

test('UUIDs are of version 4, and differ', () => {
  const uuids = Array.from({ length: 1000 }, () => systemEntropy.uuid());
  for (const uuid of uuids) expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(uuids).size).toBe(1000);
});
