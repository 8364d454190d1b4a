// Code that never awaits anything real, and histories without end: what one run takes of the event loop at a stretch is bounded.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { gate } from '../src/conformance/engine-gate.js';
import { hop } from '../src/engine/hop.js';
import { mostInARow } from '../src/engine/run-host.js';
import { defineActivity, defineWorkflow, WorkflowCancelledError, type AnyWorkflow } from '../src/index.js';
import type { ClaimRequest, ProgressBatch } from '../src/ports/index.js';
import { createMemoryDatabase } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

/** Counts the turns of the event loop while something goes on. */
function countTurns(): { readonly count: number; stop(): void } {
  let count = 0;
  let isOver = false;
  const turn = (): void => {
    count++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    get count() {
      return count;
    },
    stop: () => (isOver = true),
  };
}

async function startedApp(workflows: readonly AnyWorkflow[], database = createMemoryDatabase()) {
  return await openMemoryApp({ workflows, database, workflowPollInterval: 10 });
}

/** The most of a run's doings within one turn. */
class Stretches {
  readonly #turns = countTurns();
  #turn = 0;
  #now = 0;
  longest = 0;

  note(): void {
    this.#now = this.#turns.count === this.#turn ? this.#now + 1 : 1;
    this.#turn = this.#turns.count;
    this.longest = Math.max(this.longest, this.#now);
  }

  stop(): void {
    this.#turns.stop();
  }
}

it.each<[string, (ctx: Parameters<AnyWorkflow['execute']>[0]) => Promise<unknown>]>([
  ['publishes', (ctx) => ctx.publish('nobody', 1)],
  ['sends to one', (ctx) => ctx.sendTo('nobody', 'channel', 1)],
  ['sends events', (ctx) => ctx.sendEvent({ type: 'news', source: 'tests' })],
  ['joins and leaves', (ctx) => ctx.joinGroup('g').then(() => ctx.leaveGroup('g'))],
])('code that %s two thousand times lets others have their turn, in a replay as well', async (_what, send) => {
  const stretches: number[] = [];
  const sender = defineWorkflow('sender', async (ctx) => {
    const stretch = new Stretches();
    for (let sent = 0; sent < 2000; sent++) {
      stretch.note();
      await send(ctx);
    }
    stretch.stop();
    stretches.push(stretch.longest);
    await ctx.waitEvent('go');
  });
  const { romancy, logger } = await startedApp([sender]);
  const handle = await romancy.startWorkflow(sender);
  await eventually(async () => (await handle.status()) === 'waiting_for_event');
  await romancy.sendEvent({ type: 'go', source: 'tests' });
  await handle.result();
  expect(stretches).toHaveLength(2);
  // A turn may end one stretch and begin the next, as seen by who counts turns in between.
  for (const longest of stretches) expect(longest).toBeLessThanOrEqual(2 * mostInARow + 1);
  expect(logger.at('error')).toEqual([]);
});

it('outcomes of a replay come one a turn, however many come together', async () => {
  const longest: number[] = [];
  const wide = defineWorkflow('wide', async (ctx) => {
    const stretch = new Stretches();
    await Promise.all(Array.from({ length: 1000 }, () => ctx.run('part', () => 1).then(() => stretch.note())));
    stretch.stop();
    longest.push(stretch.longest);
    await ctx.waitEvent('go');
  });
  const { romancy } = await startedApp([wide]);
  const handle = await romancy.startWorkflow(wide);
  await eventually(async () => (await handle.status()) === 'waiting_for_event');
  await romancy.sendEvent({ type: 'go', source: 'tests' });
  await handle.result();
  expect(longest).toHaveLength(2);
  // One run shares a turn with nobody: two where a hop and the counting of turns meet.
  expect(Math.max(...longest)).toBeLessThanOrEqual(2);
});

it('code that sends for ever waits for the database, and is cancelled all the same', async () => {
  let sent = 0;
  const endless = defineWorkflow('endless', async (ctx) => {
    for (;;) {
      sent++;
      await ctx.publish('nobody', 1);
    }
  });
  const { romancy, storage } = await startedApp([endless]);
  const held = gate();
  let durable = 0;
  storage.plan = {
    before: async ({ name, argument }) => {
      if (name !== 'runs.commit') return;
      if (durable >= 3000) await held.opened;
      durable += (argument as ProgressBatch).entries.length;
    },
  };
  const handle = await romancy.startWorkflow(endless);
  await eventually(() => durable >= 3000, { interval: 'turn' });
  for (let turn = 0; turn < 200; turn++) await hop();
  // The database answers no more: what is in memory is bounded.
  expect(sent - durable).toBeLessThanOrEqual(1000 + 2 * mostInARow);
  held.open();
  await handle.cancel('enough');
  await expect(handle.result()).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED' });
  const atTheEnd = sent;
  for (let turn = 0; turn < 20; turn++) await hop();
  expect(sent).toBe(atTheEnd);
});

it('code that sends for ever is handed back by a stop, and goes on elsewhere where its history ends', async () => {
  const database = createMemoryDatabase();
  const traces: number[] = [];
  const endless = defineWorkflow('endless', async (ctx) => {
    const life = traces.push(0) - 1;
    for (;;) {
      await ctx.publish('nobody', traces[life]!);
      traces[life]!++;
    }
  });
  const first = await startedApp([endless], database);
  const { instanceId } = await first.romancy.startWorkflow(endless);
  await eventually(() => traces[0]! >= 500, { interval: 'turn' });
  await first.romancy.stop({ timeout: 60_000 });
  expect(database.instances.get(instanceId)).toMatchObject({ status: 'pending', owner: null });
  const entries = database.instances.get(instanceId)!.history.length;
  expect(entries).toBeGreaterThanOrEqual(500);
  const second = await startedApp([endless], database);
  await eventually(() => (traces[1] ?? 0) >= entries + 500, { timeout: 15_000, interval: 'turn' });
  expect(second.logger.at('error')).toEqual([]);
  await second.romancy.stop();
});

it('branches that pause go on in the same order when they are replayed, however long the database took', async () => {
  const orders: string[][] = [];
  const branched = defineWorkflow('branched', async (ctx) => {
    const order: string[] = [];
    orders.push(order);
    const branch = async (name: string, times: number): Promise<void> => {
      for (let time = 0; time < times; time++) {
        order.push(name);
        await ctx.publish('nobody', name);
        if (time % 70 === 69) await ctx.run(name, () => time);
      }
    };
    await Promise.all([branch('a', 400), branch('b', 730), branch('c', 1100)]);
    await ctx.waitEvent('go');
  });
  const { romancy, storage, logger } = await startedApp([branched]);
  storage.plan = { fault: ({ name, count }) => (name === 'runs.commit' ? { answerDelayMs: count % 3 } : undefined) };
  const handle = await romancy.startWorkflow(branched);
  await eventually(async () => (await handle.status()) === 'waiting_for_event');
  await romancy.sendEvent({ type: 'go', source: 'tests' });
  await handle.result();
  expect(orders).toHaveLength(2);
  expect(orders[1]).toEqual(orders[0]);
  expect(logger.at('error')).toEqual([]);
});

it('a claim brings a hundred entries of each history at most: not a hundred thousand of a hundred instances', async () => {
  const long = defineWorkflow('long', async (ctx) => {
    await Promise.all(Array.from({ length: 300 }, () => ctx.run('part', () => 1)));
    await ctx.waitEvent('go');
    return 'done';
  });
  const { romancy, storage } = await startedApp([long]);
  const limits = new Set<number>();
  const pages: number[] = [];
  storage.plan = {
    before: ({ name, argument }) => {
      if (name === 'runs.claim') limits.add((argument as ClaimRequest).historyLimit);
      if (name === 'runs.history') pages.push((argument as { readonly limit: number }).limit);
    },
  };
  const handle = await romancy.startWorkflow(long);
  await eventually(async () => (await handle.status()) === 'waiting_for_event');
  await romancy.sendEvent({ type: 'go', source: 'tests' });
  expect(await handle.result()).toBe('done');
  expect([...limits]).toEqual([100]);
  expect(pages.length).toBeGreaterThan(0);
  expect(Math.max(...pages)).toBeLessThanOrEqual(1000);
});

const undone = (undo: () => void) =>
  defineActivity('done', async () => 1, {
    compensate: async () => {
      undo();
    },
  });

it('what was done is undone though the code left a pause behind when it ended', async () => {
  let isUndone = false;
  const done = undone(() => (isUndone = true));
  const leaving = defineWorkflow('leaving', async (ctx) => {
    await ctx.run(done);
    for (let sent = 1; sent < mostInARow; sent++) await ctx.publish('nobody', 1);
    // The one that pauses, and nobody waits for it.
    void ctx.publish('nobody', 1);
  });
  const { romancy, storage } = await startedApp([leaving]);
  let isCancelled = false;
  storage.plan = {
    before: async ({ name, argument }) => {
      if (name !== 'runs.commit' || isCancelled) return;
      const ends = (argument as ProgressBatch).settlements.find(({ type }) => type === 'finish');
      if (ends === undefined) return;
      isCancelled = true;
      await romancy.cancel(ends.instanceId, 'at the last moment');
    },
  };
  const handle = await romancy.startWorkflow(leaving);
  await expect(handle.result({ timeout: 5000 })).rejects.toThrow(WorkflowCancelledError);
  expect([isCancelled, isUndone]).toEqual([true, true]);
});

it('code that failed is over, though another branch of it sends for ever', async () => {
  let isUndone = false;
  const done = undone(() => (isUndone = true));
  const failing = defineWorkflow('failing', async (ctx) => {
    await ctx.run(done);
    const endless = (async () => {
      for (;;) await ctx.publish('nobody', 1);
    })();
    await Promise.race([endless, ctx.publish('nobody', 1).then(() => Promise.reject(new Error('no more')))]);
  });
  const { romancy } = await startedApp([failing]);
  const handle = await romancy.startWorkflow(failing);
  await expect(handle.result({ timeout: 5000 })).rejects.toThrow('no more');
  expect(isUndone).toBe(true);
});
