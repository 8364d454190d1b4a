// Milliseconds per step behind a history of about 50 to 3,000 steps: whether a long one makes a workflow slow.
import { randomUUID } from 'node:crypto';
import { defineWorkflow, type Romancy } from '@romancy/core';
import { comparedRow, type Measurement } from '../measurement.js';
import type { RawStore } from '../raw/raw-store.js';
import { sideBySide } from '../side-by-side.js';
import { median, type Pair } from '../statistics.js';
import { Turnstile } from '../turnstile.js';
import { makeInput, takeStep, type OrderInput } from '../workload.js';

/** So many steps share a commit while the history is made; that part is not measured. */
const together = 50;
/** Steps behind the middle one of those that are measured: as many of them have fewer behind them as have more. */
const lengths = [50, 100, 300, 1000, 3000] as const;
/** Steps that are measured at each length; at most twice the shortest. */
const measuredSteps = { warmingUp: 20, quick: 40, full: 100 } as const;

interface LongInput {
  readonly id: string;
  readonly input: OrderInput;
  /** Steps before those that are measured. */
  readonly behind: number;
  readonly measured: number;
}

/** One for each workflow under way. */
const turnstiles = new Map<string, Turnstile>();

const longWorkflow = defineWorkflow('bench_long', async (ctx, { id, input, behind, measured }: LongInput) => {
  const few = Array.from({ length: together }, () => undefined);
  for (let done = 0; done < behind; done += together) {
    await Promise.all(few.slice(0, behind - done).map(() => ctx.run('before', () => takeStep('before', input))));
  }
  for (let count = 0; count <= measured; count++) {
    await ctx.run('repeat', async () => {
      await turnstiles.get(id)!.pass();
      return takeStep('repeat', input);
    });
  }
});

/** A workflow that takes one step when it is asked to. */
interface Stepper {
  /** How long the step took, until the next could begin, in milliseconds. */
  step(): Promise<number>;
  /** Lets it end. */
  end(): Promise<unknown>;
}

async function startStepper(romancy: Romancy, behind: number, measured: number): Promise<Stepper> {
  const id = randomUUID();
  const turnstile = new Turnstile();
  turnstiles.set(id, turnstile);
  const run = await romancy.startWorkflow(longWorkflow, { id, input: makeInput(), behind, measured });
  await turnstile.arrival();
  return {
    async step() {
      const began = performance.now();
      turnstile.open();
      await turnstile.arrival();
      return performance.now() - began;
    },
    end() {
      turnstile.open();
      turnstiles.delete(id);
      return run.result();
    },
  };
}

async function startStepperByHand(store: RawStore, behind: number): Promise<Stepper> {
  const input = makeInput();
  const instanceId = randomUUID();
  await store.start(instanceId, JSON.stringify(input));
  let seq = 0;
  const step = async (): Promise<void> => {
    const row = { instanceId, seq: ++seq, name: 'repeat', data: JSON.stringify(await takeStep('repeat', input)) };
    await store.step(row);
  };
  await Promise.all(Array.from({ length: behind }, step));
  return {
    async step() {
      const began = performance.now();
      await step();
      return performance.now() - began;
    },
    end: () => Promise.resolve(),
  };
}

/** Medians of one round, in milliseconds, one for each length. */
type Round = readonly Pair[];

/** All take a step in turns, so that the disk is equally fast for all. */
async function measureRound(romancy: Romancy, store: RawStore, measured: number): Promise<Round> {
  const sides = [];
  for (const length of lengths) {
    const behind = length - measured / 2;
    sides.push({
      romancy: { stepper: await startStepper(romancy, behind, measured), taken: [] as number[] },
      raw: { stepper: await startStepperByHand(store, behind), taken: [] as number[] },
    });
  }
  const all = sides.flatMap(({ romancy: one, raw: other }) => [one, other]);
  for (let count = 0; count < measured; count++) {
    for (const { stepper, taken } of all) taken.push(await stepper.step());
  }
  for (const { stepper } of all) await stepper.end();
  return sides.map(({ romancy: one, raw: other }) => ({ romancy: median(one.taken), raw: median(other.taken) }));
}

export const history: Measurement = {
  name: 'history',
  run(place, { rounds, quick }) {
    const options = { label: 'history', workflows: [longWorkflow], connections: 16 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const measured = quick ? measuredSteps.quick : measuredSteps.full;
      await measureRound(romancy, store, measuredSteps.warmingUp);
      const pairs: Round[] = [];
      for (let round = 0; round < rounds; round++) pairs.push(await measureRound(romancy, store, measured));
      const of = (length: (typeof lengths)[number]): readonly Pair[] => pairs.map((round) => round[lengths.indexOf(length)]!);
      const short = of(100);
      const growth = of(1000).map((long, round) => ({
        romancy: long.romancy / short[round]!.romancy,
        raw: long.raw / short[round]!.raw,
      }));
      const target = { of: 'romancy', bound: 'at most', value: 1.1 } as const;
      return [
        ...lengths.map((x) => {
          const what = `a step, ${x.toLocaleString('en')} steps behind it, give or take ${measured / 2}`;
          return comparedRow({ what, unit: 'ms', plot: { chart: 'history', x } }, of(x));
        }),
        comparedRow({ what: 'growth from 100 to 1,000', unit: 'times', target }, growth),
      ];
    });
  },
};
