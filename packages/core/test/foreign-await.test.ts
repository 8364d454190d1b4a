// Code that awaits something of its own between durable calls: on replay that takes longer, or less long, than it did at first.
import { eventually } from '@romancy/test-support';
import { afterEach, expect, it } from 'vitest';
import { gate, type Gate } from '../src/conformance/engine-gate.js';
import { hop } from '../src/engine/hop.js';
import { defineWorkflow, Romancy, type InstanceStatus, type WorkflowContext } from '../src/index.js';
import { createMemoryStorage, ManualClock, recordingLogger } from '../src/testing/index.js';

let app: Romancy;

/** Runs a program to an event that it waits for, and again from its history behind that. */
async function replayed(program: (ctx: WorkflowContext) => Promise<unknown>): Promise<unknown> {
  const workflow = defineWorkflow('awaiting', async (ctx) => {
    const known = await program(ctx);
    await ctx.waitEvent('go');
    return known;
  });
  // The time by which a replay gives up to wait for a call never comes.
  app = new Romancy({
    storage: createMemoryStorage(),
    clock: new ManualClock(),
    logger: recordingLogger(),
    workflows: [workflow],
  });
  await app.start();
  const handle = await app.startWorkflow(workflow);
  const is = async (...wanted: readonly InstanceStatus[]): Promise<boolean> => wanted.includes(await handle.status());
  await eventually(() => is('waiting_for_event'), { interval: 'turn' });
  await app.sendEvent({ type: 'go', source: 'tests', instanceId: handle.instanceId });
  await eventually(() => is('completed', 'stalled'), { interval: 'turn' });
  expect(await handle.status()).toBe('completed');
  return await handle.result();
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await hop();
}

afterEach(() => app.stop({ timeout: 100 }));

it('and asks for a value when the replay is waiting for that: what history has behind it comes at once', async () => {
  const known = await replayed(async (ctx) => {
    const activity = ctx.run('slow', () => turns(30).then(() => 1));
    await turns(6);
    const value = ctx.random();
    return [typeof value, await activity];
  });
  expect(known).toEqual(['number', 1]);
});

it('and asks for a value sooner than it did: it is the one that was recorded later', async () => {
  const [loaded, given]: [Gate, unknown[]] = [gate(), []];
  const known = await replayed(async (ctx) => {
    const activities = Promise.all([ctx.run('a', () => 1), ctx.run('b', () => 2)]);
    // Like an import: at first until after the activities, from then on over at once.
    void activities.then(() => turns(3)).then(() => loaded.open());
    await loaded.opened;
    given.push(ctx.random());
    given.push(ctx.uuid());
    return [...(await activities), given.length];
  });
  expect(known).toEqual([1, 2, 4]);
  expect(given.slice(2)).toEqual(given.slice(0, 2));
});
