// Seeded randomness is the same each time, and still looks random.
import { expect, it } from 'vitest';
import { seededEntropy } from './seeded-entropy.js';

it('repeats itself for the same seed and not for another', () => {
  const draw = (seed: number): unknown[] => {
    const entropy = seededEntropy(seed);
    return Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? entropy.random() : entropy.uuid()));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it('draws numbers from 0 up to but not including 1, evenly', () => {
  const entropy = seededEntropy(1);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 20_000; n++) {
    const drawn = entropy.random();
    expect(drawn >= 0 && drawn < 1).toBe(true);
    tenths[Math.floor(drawn * 10)]!++;
  }
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

it('draws UUIDs of version 4, none twice', () => {
  const entropy = seededEntropy(42);
  const drawn = Array.from({ length: 5000 }, () => entropy.uuid());
  expect(new Set(drawn).size).toBe(5000);
  for (const uuid of drawn) expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
