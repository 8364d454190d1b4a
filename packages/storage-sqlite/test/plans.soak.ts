// A million finished and a hundred thousand waiting instances: every statement uses an index, and nothing takes long.
import { temporaryFile } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { explainHotStatements } from './hot-statements.js';
import { unboundedSteps } from './unbounded-steps.js';

it('no transition is slower for what has piled up', { timeout: 600_000 }, async () => {
  const { plans, durations } = await explainHotStatements(await temporaryFile(), { finished: 1_000_000, waiting: 100_000 });
  expect(unboundedSteps(plans)).toEqual([]);
  console.log([...durations].map(([what, ms]) => `${what}: ${ms.toFixed(2)} ms`).join('\n'));
  for (const [what, ms] of durations) expect(ms, what).toBeLessThan(100);
});
