// What belongs to a run that is over, or on its way out, takes effect in no later run of the instance, and nothing that comes meanwhile is left lying.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy, type WorkflowContext } from '../src/index.js';
import type { ProgressBatch } from '../src/ports/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  settleTurns,
  withFaults,
  type TransitionCall,
} from '../src/testing/index.js';

const settles = (call: TransitionCall, wanted: string, instanceId: string): boolean =>
  call.name === 'runs.commit' &&
  (call.argument as ProgressBatch).settlements.some((one) => one.type === wanted && one.instanceId === instanceId);

/** Lets a call of the storage wait until it is told to go on. */
class Gate {
  #open: (() => void) | undefined;
  #isOpen = false;

  get isWaitedFor(): boolean {
    return this.#open !== undefined;
  }

  wait(): Promise<void> | undefined {
    if (this.#isOpen) return undefined;
    return new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#isOpen = true;
    this.#open?.();
  }
}

function stage(plan: Parameters<typeof withFaults>[1]) {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  const storage = withFaults(createMemoryStorage({ database }), plan);
  const instance = (instanceId: string) => database.instances.get(instanceId)!;
  const stop = async (app: Romancy): Promise<void> => {
    const stopped = app.stop();
    await clock.advance(100);
    await stopped;
  };
  return { clock, storage, instance, stop, logger: recordingLogger() };
}

async function startOf(app: Romancy): Promise<void> {
  const started = app.start();
  await settleTurns(20);
  await started;
}

const turn = { interval: 'turn' } as const;

/** Is broken off until its code is mended, while a wait of it reads what came; waits for two messages then. */
function brokenUntil(isMended: () => boolean) {
  return defineWorkflow('broken', async (ctx: WorkflowContext) => {
    await ctx.subscribe('jobs', 'competing');
    await ctx.subscribe('news');
    await ctx.receive('jobs', { timeout: 50 }).catch(() => undefined);
    // The queue got back what the wait before may have got: this one reads, twice, before it asks anew.
    const job = ctx.receive('jobs').then(({ data }) => data);
    if (!isMended()) await ctx.subscribe('nowhere');
    const heard = [(await ctx.receive('news')).data, (await ctx.receive('news')).data];
    return [...heard, await Promise.race([job, Promise.resolve('no job')])];
  });
}

const refusesToSubscribe = ({ name, argument }: TransitionCall): void => {
  if (name === 'messages.fixMode' && (argument as { readonly topic: string }).topic.endsWith('nowhere'))
    throw new Error('no such table');
};

it('reads nothing for a run that is over: that would hide what comes for the next one', async () => {
  const [first, late, park] = [new Gate(), new Gate(), new Gate()];
  const readings = [first, late];
  let isMended = false;
  const { clock, storage, instance, stop, logger } = stage({
    before: (call) => {
      refusesToSubscribe(call);
      if (call.name === 'runs.readSignals' && !isMended) return readings.shift()?.wait();
      return isMended && settles(call, 'park', 'a') ? park.wait() : undefined;
    },
  });
  const workflow = brokenUntil(() => isMended);
  const app = new Romancy({ storage, clock, logger, workflows: [workflow] });
  await startOf(app);
  const handle = await app.startWorkflow(workflow, undefined, { instanceId: 'a' });
  await eventually(() => instance('a').status === 'waiting_for_message', turn);
  await clock.advance(60);
  await eventually(() => instance('a').status === 'stalled', turn);
  await settleTurns(50);
  first.open();
  await settleTurns(50);
  // What it would read from here on is nobody's.
  isMended = true;
  await app.publish('news', 'one');
  await eventually(() => park.isWaitedFor, turn);
  await app.publish('news', 'two');
  late.open();
  await settleTurns(50);
  park.open();
  const result = handle.result();
  for (let round = 0; round < 100; round++) await clock.advance(100);
  expect(await Promise.race([result, settleTurns(50).then(() => 'nothing')])).toEqual(['one', 'two', 'no job']);
  await stop(app);
});

it('does not count what it has put away as held, or a claim whose answer was lost would be nobody’s', async () => {
  const reading = new Gate();
  let isMended = false;
  const { clock, storage, instance, stop, logger } = stage({
    before: (call) => {
      refusesToSubscribe(call);
      return call.name === 'runs.readSignals' && !isMended ? reading.wait() : undefined;
    },
  });
  let stall = (): void => undefined;
  const stalling = new Promise<void>((resolve) => (stall = resolve));
  const workflow = defineWorkflow('stalls', async (ctx) => {
    await ctx.subscribe('news');
    // Keeps the run in memory.
    await ctx.run('work', () => stalling);
    if (!isMended) await ctx.subscribe('nowhere');
    return (await ctx.receive('news')).data;
  });
  const app = new Romancy({ storage, clock, logger, workflows: [workflow] });
  await startOf(app);
  const handle = await app.startWorkflow(workflow, undefined, { instanceId: 'a' });
  await eventually(() => instance('a').subscriptions.size === 1, turn);
  await app.publish('news', 'one');
  await eventually(() => reading.isWaitedFor, turn);
  stall();
  await settleTurns(50);
  // Its run may be on its way out, and the instance somebody else's to claim.
  isMended = true;
  storage.failNext('runs.claim', 'after');
  await app.publish('news', 'two');
  for (let round = 0; round < 20; round++) await clock.advance(100);
  reading.open();
  const result = handle.result();
  for (let round = 0; round < 1000; round++) await clock.advance(100);
  expect(await Promise.race([result, settleTurns(50).then(() => 'nothing')])).toBe('one');
  await stop(app);
});

it('is claimed for what came behind its park, though its run had not left yet', async () => {
  const commit = new Gate();
  let isHeld = false;
  const { clock, storage, instance, stop, logger } = stage({
    before: ({ name }) => (name === 'runs.commit' && isHeld ? ((isHeld = false), commit.wait()) : undefined),
  });
  let [sleep, fail] = [(): void => undefined, (): void => undefined];
  const sleeping = new Promise<void>((resolve) => (sleep = resolve));
  const failing = new Promise<void>((resolve) => (fail = resolve));
  const child = defineWorkflow('child', async (ctx) => {
    await sleeping;
    await ctx.sleep('1h');
  });
  const parent = defineWorkflow('parent', async (ctx) => {
    await ctx.startChild(child, undefined, { instanceId: 'child' });
    await failing;
    throw new Error('no');
  });
  const other = defineWorkflow('other', async () => undefined);
  const app = new Romancy({ storage, clock, logger, workflows: [child, parent, other] });
  await startOf(app);
  await app.startWorkflow(parent, undefined, { instanceId: 'parent' });
  await eventually(() => instance('child').status === 'running' && app.status().running === 2, turn);
  // While a commit is under way, the child's park and, behind it, the parent's end gather for the next one.
  isHeld = true;
  const started = app.startWorkflow(other);
  await eventually(() => commit.isWaitedFor, turn);
  sleep();
  await settleTurns(20);
  fail();
  await settleTurns(20);
  commit.open();
  await started;
  await eventually(() => instance('parent').status === 'failed', turn);
  // No time passes, so nobody polls.
  await settleTurns(200);
  expect(instance('child').status).toBe('cancelled');
  await stop(app);
});
