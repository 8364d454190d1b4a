// What code keeps in AsyncLocalStorage (a trace, a tenant) stays with its own instance, though instances share commits and turns.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { defineActivity, defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createMemoryStorage } from '@romancy/core/testing';
import { afterwards } from '@romancy/test-support';
import { expect, it } from 'vitest';

const storage = new AsyncLocalStorage<string>();

async function startedApp(workflow: Parameters<Romancy['startWorkflow']>[0]): Promise<Romancy> {
  const romancy = new Romancy({ storage: createMemoryStorage(), workflows: [workflow], logger: silentLogger });
  afterwards(() => romancy.stop());
  await storage.run('app', () => romancy.start());
  return romancy;
}

it('of the start reaches the body, its activities, their second attempts, and what comes after a wait', async () => {
  const seen: [string, string | undefined][] = [];
  const later: [string, string | undefined][] = [];
  const see = defineActivity('see', async (_ctx, own: string) => {
    seen.push([own, storage.getStore()]);
    await pause(1);
    seen.push([own, storage.getStore()]);
  });
  const stumble = defineActivity(
    'stumble',
    async (ctx, own: string) => {
      later.push([own, storage.getStore()]);
      await pause(1);
      if (ctx.attempt === 1) throw new Error('again');
    },
    { retry: { maxAttempts: 2, firstDelay: 0, jitter: false } },
  );
  const traced = defineWorkflow('traced', async (ctx, own: string) => {
    for (let step = 0; step < 3; step++) {
      await ctx.run(see, own);
      if (!ctx.isReplaying) seen.push([own, storage.getStore()]);
    }
    await Promise.all([ctx.run(see, own), ctx.run('inline', () => void seen.push([own, storage.getStore()]))]);
    if (!ctx.isReplaying) seen.push([own, storage.getStore()]);
    await ctx.run(stumble, own);
    later.push([own, storage.getStore()]);
  });
  const romancy = await startedApp(traced as never);
  const names = Array.from({ length: 20 }, (_, index) => `trace-${index}`);
  await Promise.all(
    names.map((name) =>
      storage.run(name, async () => {
        const run = await romancy.startWorkflow(traced, name);
        await run.result();
      }),
    ),
  );
  expect(seen.length).toBeGreaterThanOrEqual(20 * 12);
  expect(seen.filter(([own, found]) => own !== found)).toEqual([]);
  // Put away and claimed again, it is the app's own work; never that of another instance.
  expect(later.length).toBe(20 * 3);
  expect(later.filter(([own, found]) => own !== found && found !== 'app')).toEqual([]);
});

it('of the place of a call in the body reaches its activity', async () => {
  const seen: (string | undefined)[] = [];
  const inner = defineWorkflow('inner', async (ctx) => {
    await storage.run('first', () => ctx.run('a', () => void seen.push(storage.getStore())));
    await Promise.all(
      ['left', 'right'].map((name) => storage.run(name, () => ctx.run(name, () => void seen.push(storage.getStore())))),
    );
  });
  const romancy = await startedApp(inner);
  const run = await romancy.startWorkflow(inner);
  await run.result();
  expect(seen).toEqual(['first', 'left', 'right']);
});
