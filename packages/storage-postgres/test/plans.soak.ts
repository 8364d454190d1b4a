// Every statement of a day's work goes by an index, with a million finished and a hundred thousand waiting instances.
import { expect, it } from 'vitest';
import { checkPlans, type Knowledge } from './plan-check.js';

it.for<Knowledge>(['none', 'of empty tables', 'up to date'])(
  'a million finished instances cost nothing, statistics: %s',
  async (knowledge) => {
    const { plans, complaints } = await checkPlans({ finished: 1_000_000, waiting: 100_000 }, knowledge);
    expect(plans.length).toBeGreaterThan(30);
    expect(complaints).toEqual([]);
  },
);
