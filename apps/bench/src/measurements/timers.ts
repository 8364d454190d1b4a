// How late a durable sleep is over: from its due time to the beginning of the step behind it.
import { randomUUID } from 'node:crypto';
import { defineWorkflow } from '@romancy/core';
import { alternate } from '../alternate.js';
import { comparedRow, type Measurement } from '../measurement.js';
import type { RawStore } from '../raw/raw-store.js';
import { sideBySide } from '../side-by-side.js';
import { quantile } from '../statistics.js';

interface Sleep {
  readonly id: string;
  readonly ms: number;
}

/** Between two due times, in milliseconds: more than a few commits take, so that lateness is not the length of a queue. */
const gapMs = 20;
/** Long enough for all sleepers of a round to be put away before the first is due. */
const leastMs = 1000;

/** When each sleeper is due and when its next step began; both in this process, on one clock. */
const dueAt = new Map<string, number>();
const lateness: number[] = [];

const preciseNow = (): number => performance.timeOrigin + performance.now();

function wokeUp(id: string): void {
  lateness.push(preciseNow() - dueAt.get(id)!);
  dueAt.delete(id);
}

const sleeper = defineWorkflow('bench_sleeper', async (ctx, { id, ms }: Sleep) => {
  // Only the first execution is there when the sleep begins; later ones find it in history.
  if (!dueAt.has(id)) dueAt.set(id, preciseNow() + ms);
  await ctx.sleep(ms);
  await ctx.run('woke_up', () => wokeUp(id));
});

/**
 * By hand, with the process that set the timer still alive: the row is written, the process waits, the row is updated, the next step
 * begins. This is as soon as it can be; what becomes of the timer when the process dies meanwhile would be further work.
 */
async function sleepByHand(store: RawStore, { id, ms }: Sleep): Promise<void> {
  dueAt.set(id, preciseNow() + ms);
  await store.setTimer(id, dueAt.get(id)!);
  // Node cuts fractions off, and then comes too early.
  for (let left = ms; left > 0; left = dueAt.get(id)! - preciseNow()) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
  }
  await store.fireTimer(id);
  wokeUp(id);
}

export const timers: Measurement = {
  name: 'timers',
  run(place, { rounds, quick }) {
    const count = quick ? 30 : 100;
    const options = { label: 'timers', workflows: [sleeper], connections: 16 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const sleeps = (): readonly Sleep[] =>
        Array.from({ length: count }, (_, index) => ({ id: randomUUID(), ms: leastMs + index * gapMs }));
      const round = async (one: (sleep: Sleep) => Promise<unknown>): Promise<readonly number[]> => {
        await Promise.all(sleeps().map(one));
        return lateness.splice(0);
      };
      const pairs = await alternate(rounds, {
        romancy: () => round(async (sleep) => (await romancy.startWorkflow(sleeper, sleep)).result()),
        raw: () => round((sleep) => sleepByHand(store, sleep)),
      });
      const at = (part: number) =>
        pairs.map(({ romancy, raw }) => ({ romancy: quantile(romancy, part), raw: quantile(raw, part) }));
      return [
        comparedRow({ what: 'lateness of timers, median', unit: 'ms' }, at(0.5)),
        comparedRow({ what: 'lateness of timers, 95 of 100', unit: 'ms' }, at(0.95)),
      ];
    });
  },
};
