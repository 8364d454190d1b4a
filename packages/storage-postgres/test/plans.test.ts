// Every statement of a day's work goes by an index, whatever has piled up. The soak has ten times as much.
import { describe, expect, it } from 'vitest';
import { checkPlans, type Knowledge } from './plan-check.js';

describe('with 100,000 finished and 10,000 waiting instances', () => {
  it.for<Knowledge>(['none', 'of empty tables', 'up to date'])(
    'no statement reads a table from end to end, statistics: %s',
    { timeout: 60_000 },
    async (knowledge) => {
      const { plans, complaints } = await checkPlans({ finished: 100_000, waiting: 10_000 }, knowledge);
      expect(plans.length).toBeGreaterThan(30);
      expect(complaints).toEqual([]);
    },
  );
});
