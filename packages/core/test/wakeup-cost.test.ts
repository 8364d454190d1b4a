// What wake-ups cost: claims per job in a fleet, claims and time in a burst of notes, and what a process does that has nothing to do.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterwards } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy, silentLogger, type RomancyOptions } from '../src/index.js';
import type { NotifierHost } from '../src/ports/index.js';
import {
  createMemoryDatabase,
  createMemoryNotifierHub,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  seededEntropy,
  withFaults,
  type FaultyStorage,
  type MemoryDatabase,
} from '../src/testing/index.js';

interface Member {
  readonly romancy: Romancy;
  readonly storage: FaultyStorage;
}

interface Fleet {
  readonly clock: ManualClock;
  readonly database: MemoryDatabase;
  readonly hub: ReturnType<typeof createMemoryNotifierHub>;
  add(options?: Partial<RomancyOptions>): Promise<Member>;
}

function createFleet(hubOptions: Parameters<typeof createMemoryNotifierHub>[0] = {}): Fleet {
  const [clock, database, hub] = [new ManualClock(), createMemoryDatabase(), createMemoryNotifierHub(hubOptions)];
  let seed = 0;
  return {
    clock,
    database,
    hub,
    async add(options = {}) {
      // Looks for dead processes as rarely as on PostgreSQL.
      const storage = withFaults({ ...createMemoryStorage({ database }), reapIntervalMs: 10_000 });
      const romancy = new Romancy({
        storage,
        clock,
        entropy: seededEntropy(++seed),
        notifier: hub.createNotifier(),
        logger: silentLogger,
        ...options,
      });
      afterwards(() => romancy.stop({ timeout: 100 }));
      await romancy.start();
      return { romancy, storage };
    },
  };
}

const job = defineWorkflow('job', async (ctx, input: number) => ctx.run('work', () => input));

it('lets 50 idle processes make at most three claims for a job, wherever it comes from', { timeout: 60_000 }, async () => {
  const { clock, add } = createFleet();
  const fleet: Member[] = [];
  for (let count = 0; count < 50; count++) fleet.push(await add({ workflows: [job] }));
  const asking = await add();
  // Whoever came first has heard of the others by now.
  await clock.advance('15s');
  const claims = (): number => fleet.reduce((sum, { romancy }) => sum + romancy.status().claims, 0);
  const counts: number[] = [];
  for (let round = 0; round < 40; round++) {
    const before = claims();
    const run = await asking.romancy.startWorkflow(job, round);
    await clock.advance(500);
    expect(await run.result()).toBe(round);
    counts.push(claims() - before);
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(3);
  expect(counts.reduce((sum, count) => sum + count, 0) / counts.length).toBeLessThanOrEqual(2.5);
  expect(fleet.every(({ romancy }) => romancy.status().notifier?.state === 'healthy')).toBe(true);
});

it(
  'lets them make at most four for an event that one instance waits for, whether it is named or not',
  { timeout: 60_000 },
  async () => {
    const { clock, add } = createFleet();
    const waiting = defineWorkflow('waiting', async (ctx) => (await ctx.waitEvent<number>('go')).data);
    const fleet: Member[] = [];
    for (let count = 0; count < 50; count++) fleet.push(await add({ workflows: [waiting] }));
    const asking = await add();
    await clock.advance('15s');
    const claims = (): number => fleet.reduce((sum, { romancy }) => sum + romancy.status().claims, 0);
    for (let round = 0; round < 20; round++) {
      const run = await asking.romancy.startWorkflow(waiting);
      await clock.advance(500);
      const before = claims();
      const instanceId = round % 2 === 0 ? { instanceId: run.instanceId } : {};
      await asking.romancy.sendEvent({ type: 'go', source: 'tests', data: round, ...instanceId });
      await clock.advance(500);
      expect(await run.result()).toBe(round);
      expect(claims() - before).toBeLessThanOrEqual(4);
    }
  },
);

it('lets the others take over from the first two when those are dead, within the longest wait', async () => {
  const { clock, add, hub } = createFleet();
  const fleet: Member[] = [];
  for (let count = 0; count < 6; count++) fleet.push(await add({ workflows: [job] }));
  const asking = await add();
  await clock.advance('15s');
  // Two of six hear nothing any more; for some jobs they are the first two.
  const deaf = new Set([0, 1].map((index) => fleet[index]!.romancy.status().workerId));
  let members = 0;
  const numbers = new Map<unknown, number>();
  hub.route(({ to }) => {
    if (!numbers.has(to)) numbers.set(to, members++);
    return numbers.get(to)! < 2 ? 'drop' : 'deliver';
  });
  for (let round = 0; round < 40; round++) {
    const run = await asking.romancy.startWorkflow(job, round);
    await clock.advance(200);
    expect(await run.result()).toBe(round);
  }
  expect(deaf.size).toBe(2);
});

it(
  'lets 50 idle processes make at most four claims for a due timer, at once, also when many follow each other',
  { timeout: 60_000 },
  async () => {
    const { clock, database, add } = createFleet();
    const ends: number[] = [];
    const sleeping = defineWorkflow('sleeping', async (ctx, sleepMs: number) => {
      await ctx.sleep(sleepMs);
      ends.push(clock.now());
    });
    const fleet: Member[] = [];
    for (let count = 0; count < 50; count++) fleet.push(await add({ workflows: [sleeping] }));
    await clock.advance('15s');
    const claims = (): number => fleet.reduce((sum, { romancy }) => sum + romancy.status().claims, 0);
    const starts = Array.from({ length: 40 }, (_, index) => index * index * 7 + 1000);
    for (const [index, sleepMs] of starts.entries()) await fleet[index % 50]!.romancy.startWorkflow(sleeping, sleepMs);
    await clock.advance(100);
    const dueAt = [...database.instances.values()].map(({ wakeAt }) => wakeAt!).sort((a, b) => a - b);
    const before = claims();
    const counts: number[] = [];
    for (const due of dueAt) {
      const sofar = claims();
      await clock.advance(due - clock.now() + 5);
      counts.push(claims() - sofar);
    }
    await clock.advance(200);
    expect(ends).toEqual(dueAt);
    expect((claims() - before) / dueAt.length).toBeLessThanOrEqual(3);
    expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  },
);

it('lets the rest claim for a due timer when the first two are dead, within the longest wait', async () => {
  const { clock, add } = createFleet();
  const ends: number[] = [];
  const sleeping = defineWorkflow('sleeping', async (ctx) => {
    await ctx.sleep('5s');
    ends.push(clock.now());
  });
  const fleet: Member[] = [];
  // No upkeep and no poll finds what is due.
  const rarely = { leaseDuration: '10m', notifyFallbackInterval: '1h' } as const;
  for (let count = 0; count < 12; count++) fleet.push(await add({ workflows: [sleeping], ...rarely }));
  await clock.advance('4m');
  for (let round = 0; round < 10; round++) {
    await fleet[round]!.romancy.startWorkflow(sleeping);
    await clock.advance(4900);
    const dueAt = clock.now() + 100;
    let claims = 0;
    let revive = (): void => undefined;
    const revived = new Promise<void>((resolve) => (revive = resolve));
    const hangs = async ({ name }: { readonly name: string }): Promise<void> => {
      if (name === 'runs.claim' && ++claims <= 2) await revived;
    };
    for (const { storage } of fleet) storage.plan = { before: hangs };
    await clock.advance(100);
    const firsts = claims;
    await clock.advance(150);
    revive();
    for (const { storage } of fleet) storage.plan = {};
    expect([firsts, ends.length]).toEqual([2, round + 1]);
    expect(ends[round]! - dueAt).toBeGreaterThanOrEqual(20);
    expect(claims).toBeLessThanOrEqual(5);
    await clock.advance('1s');
  }
});

it('claims for a due time at once, however many there are, while notes cannot be relied on', async () => {
  const { clock, add, hub } = createFleet();
  const sleeping = defineWorkflow('sleeping', async (ctx) => ctx.sleep('5s'));
  const notifiers = Array.from({ length: 12 }, () => hub.createNotifier());
  const fleet: Member[] = [];
  for (const notifier of notifiers) fleet.push(await add({ workflows: [sleeping], notifier, notifyFallbackInterval: '1h' }));
  await clock.advance('15s');
  const run = await fleet[0]!.romancy.startWorkflow(sleeping);
  await clock.advance(1000);
  for (const notifier of notifiers) notifier.disconnect();
  const claims = (): number => fleet.reduce((sum, { romancy }) => sum + romancy.status().claims, 0);
  await clock.advance(3999);
  const before = claims();
  await clock.advance(1);
  expect(claims() - before).toBeGreaterThanOrEqual(12);
  await run.result();
});

it('makes few claims of 10,000 wake-ups at once, and none for what it does not serve', async () => {
  const { clock, add, hub } = createFleet();
  const { romancy, storage } = await add({ workflows: [job] });
  await clock.advance(100);
  const sender = hub.createNotifier();
  await sender.start(hostOf(clock));
  await clock.advance(100);
  const before = storage.count('runs.claim');
  const notes = (workflowName: string) =>
    Array.from(
      { length: 10_000 },
      (_, index) => ({ kind: 'workflow_resumable', instanceId: `x${index}`, workflowName }) as const,
    );
  sender.send(notes('job'));
  await clock.advance(100);
  expect(storage.count('runs.claim') - before).toBeLessThanOrEqual(2);
  const after = storage.count();
  sender.send(notes('of others'));
  await clock.advance(100);
  expect(storage.count()).toBe(after);
  expect(romancy.status().notifier).toMatchObject({ received: 20_000 });
});

it('takes 100,000 notes in a burst in little memory, and keeps its event loop free', { timeout: 60_000, retry: 2 }, async () => {
  const { clock, add, hub } = createFleet();
  for (let count = 0; count < 4; count++) await add({ workflows: [job] });
  const notifier = hub.createNotifier();
  const { storage } = await add({ workflows: [job], notifier });
  await clock.advance('15s');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const claimsBefore = storage.count('runs.claim');
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  delay.enable();
  const before = process.cpuUsage();
  // As they come out of a socket: some hundreds in one go.
  for (let done = 0; done < 100_000; done += 500) {
    for (let index = 0; index < 500; index++) {
      notifier.receive([{ kind: 'workflow_resumable', instanceId: `instance-${done + index}`, workflowName: 'job' }]);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Of this process: what else the machine does meanwhile is not meant.
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  await clock.advance(200);
  globalThis.gc?.();
  expect(delay.percentile(99) / 1e6).toBeLessThan(50);
  expect((user + system) / 1000).toBeLessThan(1000);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(32 * 1024 * 1024);
  // There is nothing to find, and each claim is over at once: so it asks more and more seldom.
  expect(storage.count('runs.claim') - claimsBefore).toBeLessThanOrEqual(50);
});

it('makes at most one claim more of its own wake-ups when it hears them again', async () => {
  const counts: number[] = [];
  for (const echoes of [false, true]) {
    const { clock, add } = createFleet({ echoes });
    const waiting = defineWorkflow('waiting', async (ctx) => (await ctx.waitEvent<number>('go')).data);
    const { romancy, storage } = await add({ workflows: [waiting] });
    await clock.advance(100);
    const run = await romancy.startWorkflow(waiting);
    await clock.advance(100);
    const before = storage.count('runs.claim');
    await romancy.sendEvent({ type: 'go', source: 'tests', data: 1, instanceId: run.instanceId });
    await clock.advance(100);
    expect(await run.result()).toBe(1);
    counts.push(storage.count('runs.claim') - before);
  }
  expect(counts[0]).toBe(1);
  expect(counts[1]).toBeLessThanOrEqual(2);
});

it('makes one upkeep in ten seconds and nothing else while the notifier is healthy and 1,000 instances wait', async () => {
  const { clock, add } = createFleet();
  const waiting = defineWorkflow('waiting', async (ctx) => {
    await ctx.waitEvent('never', { timeout: '30d' });
  });
  const { romancy, storage } = await add({ workflows: [waiting], concurrency: 2000 });
  await Promise.all(Array.from({ length: 1000 }, () => romancy.startWorkflow(waiting)));
  await clock.advance('5s');
  expect(romancy.status().running).toBe(0);
  const before = storage.count();
  const claims = storage.count('runs.claim');
  await clock.advance('10m');
  expect(storage.count('runs.claim') - claims).toBe(0);
  expect((storage.count() - before) / 600).toBeLessThanOrEqual(0.12);
});

it('polls all the same when upkeep fails, and at most three times a second without a notifier', async () => {
  const { clock, add } = createFleet();
  const { romancy, storage } = await add({ workflows: [job] });
  await clock.advance('1s');
  storage.plan = {
    before: ({ name }) => {
      if (name === 'leases.upkeep') throw new Error('an upkeep that fails');
    },
  };
  const claims = romancy.status().claims;
  await clock.advance('2m');
  expect(romancy.status().claims - claims).toBeGreaterThanOrEqual(3);

  const alone = createFleet();
  const polling = await alone.add({ workflows: [job], listenNotify: false });
  const before = polling.storage.count();
  await alone.clock.advance('1m');
  expect((polling.storage.count() - before) / 60).toBeLessThanOrEqual(3);
});

it('polls fast and warns when notes get lost though the notifier is healthy, and trusts them again after five quiet minutes', async () => {
  const { clock, add, hub } = createFleet();
  const logger = recordingLogger();
  const events: string[] = [];
  const { romancy } = await add({
    workflows: [job],
    logger,
    hooks: { onNotifierStateChange: ({ state, previous }) => void events.push(`${previous} > ${state}`) },
  });
  const asking = await add();
  await clock.advance('1s');
  events.length = 0;
  hub.route('drop');
  for (let round = 0; round < 8; round++) {
    await asking.romancy.startWorkflow(job, round);
    await clock.advance('14s');
  }
  expect(events).toEqual(['healthy > lossy']);
  expect(logger.at('warn').map(({ message }) => message)).toEqual([
    'notes of other processes get lost; polling at the normal intervals',
  ]);
  expect(romancy.status()).toMatchObject({ pollIntervalMs: 1000, notifier: { state: 'lossy', pollIntervalMs: 1000 } });
  expect(romancy.status().notifier!.foundByPoll).toBeGreaterThanOrEqual(5);
  const run = await asking.romancy.startWorkflow(job, 8);
  await clock.advance(2500);
  expect(await run.result()).toBe(8);
  hub.route('deliver');
  await clock.advance('6m');
  expect(events).toEqual(['healthy > lossy', 'lossy > healthy']);
  expect(romancy.status()).toMatchObject({ pollIntervalMs: 30_000, notifier: { state: 'healthy' } });
  for (let round = 0; round < 50; round++) {
    await asking.romancy.startWorkflow(job, round);
    await clock.advance('14s');
  }
  expect(romancy.status().notifier!.state).toBe('healthy');
});

it('shuts no one out: an app that only asks makes no claim, and sees results of others', async () => {
  const { clock, add } = createFleet();
  await add({ workflows: [job] });
  const asking = await add({ listenNotify: false });
  const run = await asking.romancy.startWorkflow(job, 1);
  await clock.advance('5s');
  expect(await run.result()).toBe(1);
  expect(asking.storage.count('runs.claim')).toBe(0);
});

function hostOf(clock: ManualClock): NotifierHost {
  return {
    clock,
    entropy: seededEntropy(1),
    logger: silentLogger,
    fallbackIntervalMs: 30_000,
    onPresence: () => undefined,
    onWakeups: () => undefined,
    onSweep: () => Promise.resolve(),
    onStateChange: () => undefined,
  };
}
