// How long one workflow alone takes from its start to its result.
import { alternate } from '../alternate.js';
import { comparedRow, distribution, type Measurement } from '../measurement.js';
import { runRawWorkflow } from '../raw/run-raw-workflow.js';
import { sideBySide } from '../side-by-side.js';
import { quantilePair, type Pair } from '../statistics.js';
import { warmUp } from '../warm-up.js';
import { makeInput, orderWorkflow } from '../workload.js';

export const latency: Measurement = {
  name: 'latency',
  run(place, { rounds, roundMs, quick }) {
    const count = quick ? 40 : 150;
    const options = { label: 'latency', workflows: [orderWorkflow], connections: 1 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const sides = {
        romancy: () =>
          duration(async () => {
            const run = await romancy.startWorkflow(orderWorkflow, makeInput());
            await run.result();
          }),
        raw: () => duration(() => runRawWorkflow(store, makeInput())),
      };
      for (const one of Object.values(sides)) await warmUp(one, { concurrency: 1, mostMs: 5 * roundMs });
      const typical: Pair[] = [];
      const slow: Pair[] = [];
      const all: Pair[] = [];
      for (let round = 0; round < rounds; round++) {
        // One workflow of each side in turns, so that the disk is equally fast for both.
        const turns = await alternate(count, sides);
        all.push(...turns);
        typical.push(quantilePair(turns, 0.5));
        slow.push(quantilePair(turns, 0.95));
      }
      const target = { of: 'ratio', bound: 'at most', value: 1.5 } as const;
      return [
        comparedRow(
          { what: 'start to result, alone, median', unit: 'ms', target, plot: distribution('start-to-result', all) },
          typical,
        ),
        comparedRow({ what: 'start to result, alone, 95 of 100', unit: 'ms' }, slow),
      ];
    });
  },
};

/** In milliseconds. */
async function duration(one: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await one();
  return performance.now() - began;
}
