// Every statement of a day's work uses an index, whatever has piled up. The soak has ten times as much.
import { temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { explainHotStatements } from './hot-statements.js';
import { unboundedSteps } from './unbounded-steps.js';

it('no statement goes through a table of which parts pile up', { timeout: 120_000 }, async () => {
  const { plans } = await explainHotStatements(await temporaryFile(), { finished: 100_000, waiting: 10_000 });
  expect(plans.length).toBeGreaterThan(150);
  expect(unboundedSteps(plans)).toEqual([]);
});
