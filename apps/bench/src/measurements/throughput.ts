// Steps per second with so many workflows going at once.
import { alternate } from '../alternate.js';
import { comparedRow, type Effort, type Measurement, type ResultRow, type Target } from '../measurement.js';
import type { Place } from '../places/place.js';
import { runRawWorkflow } from '../raw/run-raw-workflow.js';
import { sideBySide } from '../side-by-side.js';
import type { Pair } from '../statistics.js';
import { warmUp } from '../warm-up.js';
import { closedLoop, makeInput, orderWorkflow, stepNames } from '../workload.js';

/** Code by hand gets so many connections at most: more of them than this make PostgreSQL slower on machines of this size. */
const mostConnections = 16;
/** So many runs Romancy has in memory by itself; who wants more of them at once says so. */
const usualConcurrency = 100;
/** Each side has so many turns in a round: what else the machine does changes within seconds, and is to meet both. */
const turnsPerRound = 4;

export const throughput: Measurement = {
  name: 'throughput',
  async run(place, effort) {
    const rows: ResultRow[] = [];
    const levels = place.kind === 'postgres' ? [1, 16, 100, 400] : [1, 16, 100];
    for (const concurrency of levels) rows.push(await measure(place, effort, concurrency));
    return rows;
  },
};

function targetOf(place: Place, concurrency: number): Target | null {
  const atLeast = (value: number): Target => ({ of: 'ratio', bound: 'at least', value });
  if (place.kind === 'sqlite') return concurrency === 1 ? atLeast(0.8) : null;
  return { 1: atLeast(0.5), 100: atLeast(4), 400: atLeast(5) }[concurrency] ?? null;
}

function measure(place: Place, effort: Effort, concurrency: number): Promise<ResultRow> {
  const connections = Math.min(concurrency, mostConnections);
  const room = concurrency > usualConcurrency ? { concurrency } : {};
  const options = { label: `throughput_${concurrency}`, workflows: [orderWorkflow], connections, ...room };
  return sideBySide(place, options, async ({ romancy, store }) => {
    const sides = {
      romancy: async () => {
        const run = await romancy.startWorkflow(orderWorkflow, makeInput());
        await run.result();
      },
      raw: async () => void (await runRawWorkflow(store, makeInput())),
    };
    const timed = (one: () => Promise<void>, count: number) => () => closedLoop({ count, concurrency }, one);
    const stepsPerSecond = (count: number, ms: number): number => (count * stepNames.length * 1000) / ms;

    const mostMs = 5 * effort.roundMs;
    for (const one of [sides.romancy, sides.raw]) {
      // What is done for many at once is compiled soonest where there are many; the rest as it will be measured.
      if (concurrency < usualConcurrency) await warmUp(one, { concurrency: usualConcurrency, mostMs });
      await warmUp(one, { concurrency, mostMs });
    }
    // Tells how many workflows the slower one gets through in a turn: both then run as many.
    const least = Math.max(20, 2 * concurrency);
    const [first] = await alternate(1, { romancy: timed(sides.romancy, least), raw: timed(sides.raw, least) });
    const msOfSlower = Math.max(first!.romancy, first!.raw) / least;
    const count = Math.max(least, Math.round(effort.roundMs / turnsPerRound / msOfSlower));
    const pairs: Pair[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      const turns = await alternate(turnsPerRound, { romancy: timed(sides.romancy, count), raw: timed(sides.raw, count) });
      const total = (pick: (turn: Pair) => number): number => turns.reduce((sum, turn) => sum + pick(turn), 0);
      const of = (pick: (turn: Pair) => number): number => stepsPerSecond(count * turnsPerRound, total(pick));
      pairs.push({ romancy: of((turn) => turn.romancy), raw: of((turn) => turn.raw) });
    }
    const what = `throughput, ${concurrency} workflow${concurrency === 1 ? '' : 's'} at once`;
    return comparedRow({ what, unit: 'steps/s', target: targetOf(place, concurrency) }, pairs);
  });
}
