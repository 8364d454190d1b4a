// Milliseconds per step when 100 and when 1,000 steps lie behind: whether a long history makes a workflow slow.
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
const lengths = { short: 100, long: 1000 };

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
  const few = Array.from({ length: together });
  for (let done = 0; done < behind; done += together) {
    await Promise.all(few.map(() => ctx.run('before', () => takeStep('before', input))));
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

/** Medians of one round, in milliseconds. */
type Round = Record<keyof typeof lengths, Pair>;

/** All four take a step in turns, so that the disk is equally fast for all. */
async function measureRound(romancy: Romancy, store: RawStore, measured: number): Promise<Round> {
  const steppers = [
    await startStepper(romancy, lengths.short, measured),
    await startStepperByHand(store, lengths.short),
    await startStepper(romancy, lengths.long, measured),
    await startStepperByHand(store, lengths.long),
  ];
  const taken: number[][] = steppers.map(() => []);
  for (let count = 0; count < measured; count++) {
    for (const [index, stepper] of steppers.entries()) taken[index]!.push(await stepper.step());
  }
  for (const stepper of steppers) await stepper.end();
  const [romancyShort, rawShort, romancyLong, rawLong] = taken.map(median);
  return { short: { romancy: romancyShort!, raw: rawShort! }, long: { romancy: romancyLong!, raw: rawLong! } };
}

export const history: Measurement = {
  name: 'history',
  run(place, { rounds, quick }) {
    const options = { label: 'history', workflows: [longWorkflow], connections: 16 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const measured = quick ? 40 : 100;
      await measureRound(romancy, store, 20);
      const pairs: Round[] = [];
      for (let round = 0; round < rounds; round++) pairs.push(await measureRound(romancy, store, measured));
      const growth = pairs.map(({ short, long }) => ({
        romancy: long.romancy / short.romancy,
        raw: long.raw / short.raw,
      }));
      const target = { of: 'romancy', bound: 'at most', value: 1.25 } as const;
      return [
        comparedRow(
          { what: 'a step, 100 steps behind it', unit: 'ms' },
          pairs.map(({ short }) => short),
        ),
        comparedRow(
          { what: 'a step, 1,000 steps behind it', unit: 'ms' },
          pairs.map(({ long }) => long),
        ),
        comparedRow({ what: 'growth from 100 to 1,000', unit: 'times', target }, growth),
      ];
    });
  },
};
