// How late a durable sleep is over: from its due time to the beginning of the step behind it.
import { randomUUID } from 'node:crypto';
import { defineWorkflow } from '@romancy/core';
import { alternate } from '../alternate.js';
import { comparedRow, type Measurement, type ResultRow } from '../measurement.js';
import { until } from '../pause.js';
import type { RawStore } from '../raw/raw-store.js';
import { sideBySide } from '../side-by-side.js';
import { quantile } from '../statistics.js';
import { storageClock } from '../storage-clock.js';

interface Sleep {
  readonly id: string;
}

/** One that has been set. */
interface Sleeping {
  readonly over: Promise<unknown>;
}

/**
 * Between two due times, in milliseconds: more than a few commits take, so that lateness is not the length of a queue; and a thousand
 * timers a second, where it may be.
 */
const paces = [
  { gapMs: 20, what: 'lateness of timers', most: null },
  { gapMs: 1, what: 'lateness of timers, 1,000 a second', most: { median: 5, nearlyAll: 20 } },
] as const;

/** Both sides are warmed up at the quicker pace. */
const warmUpGapMs = 1;

/** When each sleeper is due, milliseconds since 1970, and how late its next step began; both by the clock of the storage. */
const dueAt = new Map<string, number>();
const lateness: number[] = [];
/** Read anew before each round. */
let now: () => number = Date.now;

function wokeUp(id: string): void {
  lateness.push(now() - dueAt.get(id)!);
}

const sleeper = defineWorkflow('bench_sleeper', async (ctx, { id }: Sleep) => {
  await ctx.sleepUntil(dueAt.get(id)!);
  await ctx.run('woke_up', () => wokeUp(id));
});

/**
 * By hand, with the process that set the timer still alive: the row is written, the process waits, the row is updated, the next step
 * begins. This is as soon as it can be; what becomes of the timer when the process dies meanwhile would be further work.
 */
async function sleepByHand(store: RawStore, { id }: Sleep): Promise<Sleeping> {
  const due = dueAt.get(id)!;
  await store.setTimer(id, due);
  return { over: fireByHand(store, id, due) };
}

async function fireByHand(store: RawStore, id: string, due: number): Promise<void> {
  // Node cuts fractions off, and then comes too early.
  for (let left = due - now(); left > 0; left = due - now()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
  }
  await store.fireTimer(id);
  wokeUp(id);
}

export const timers: Measurement = {
  name: 'timers',
  run(place, { rounds, roundMs, quick }) {
    const options = { label: 'timers', workflows: [sleeper], connections: 16 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const spanMs = quick ? Math.min(600, 10 * roundMs) : 2000;
      const sides = (gapMs: number) => {
        const count = Math.round(spanMs / gapMs);
        const round = async (begin: (sleep: Sleep) => Promise<Sleeping>): Promise<readonly number[]> => {
          now = await storageClock(place.server);
          // So long all of them take to be put away, before the first is due.
          const first = Math.ceil(now()) + 1000 + count;
          const ids = Array.from({ length: count }, (_, index) => {
            const id = randomUUID();
            dueAt.set(id, first + index * gapMs);
            return id;
          });
          const sleeping = await Promise.all(ids.map((id) => begin({ id })));
          const allOver = Promise.all(sleeping.map(({ over }) => over));
          // Where this fails before it is waited for, what failed is to be heard, and not that the app was stopped.
          allOver.catch(() => undefined);
          await until('sleepers that are put away', () => romancy.status().running === 0);
          if (now() >= first) throw new Error('a timer was due before all sleepers were put away; the machine is too busy');
          await allOver;
          for (const id of ids) dueAt.delete(id);
          return lateness.splice(0);
        };
        return {
          romancy: () => round(async (sleep) => ({ over: (await romancy.startWorkflow(sleeper, sleep)).result() })),
          raw: () => round((sleep) => sleepByHand(store, sleep)),
        };
      };
      // Code that has run a few hundred times is twice as fast as code that is new to the process; uncounted.
      await alternate(quick ? 1 : 2, sides(warmUpGapMs));
      const rows: ResultRow[] = [];
      for (const { gapMs, what, most } of paces) rows.push(...rowsOf(await alternate(rounds, sides(gapMs)), { what, most }));
      return rows;
    });
  },
};

function rowsOf(
  pairs: readonly Record<'romancy' | 'raw', readonly number[]>[],
  { what, most }: Pick<(typeof paces)[number], 'what' | 'most'>,
): readonly ResultRow[] {
  const at = (part: number) => pairs.map(({ romancy, raw }) => ({ romancy: quantile(romancy, part), raw: quantile(raw, part) }));
  const target = (value: number | undefined) =>
    value === undefined ? null : ({ of: 'romancy', bound: 'at most', value } as const);
  const [all, allRaw] = [pairs.flatMap(({ romancy }) => romancy), pairs.flatMap(({ raw }) => raw)];
  const plot = most === null ? {} : { plot: { chart: 'timer-lateness', romancy: all, raw: allRaw } as const };
  return [
    comparedRow({ what: `${what}, median`, unit: 'ms', target: target(most?.median), ...plot }, at(0.5)),
    comparedRow({ what: `${what}, 99 of 100`, unit: 'ms', target: target(most?.nearlyAll) }, at(0.99)),
  ];
}
