// A stop that runs out of time still removes the lease, so that others need not wait for it to run out.
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  settleTurns,
  withFaults,
} from '../src/testing/index.js';

const deaf = defineWorkflow('deaf', async (ctx) => {
  await ctx.run('never returns', () => new Promise<never>(() => undefined));
});

it('removes the lease after its time is over, though the database takes a while for that', async () => {
  const database = createMemoryDatabase();
  const storage = withFaults(createMemoryStorage({ database }), {
    fault: ({ name }) => (name === 'leases.retire' ? { delayMs: 100 } : undefined),
  });
  const app = new Romancy({ storage, logger: recordingLogger(), workflows: [deaf] });
  await app.start();
  await app.startWorkflow(deaf, undefined, { instanceId: 'a' });
  await app.stop({ timeout: 50 });
  expect(database.instances.get('a')).toMatchObject({ status: 'pending', owner: null });
});

it('does not wait for ever for a database that has stopped answering', async () => {
  const storage = withFaults(createMemoryStorage(), {
    before: ({ name }) => (name === 'leases.retire' ? new Promise<never>(() => undefined) : undefined),
  });
  const logger = recordingLogger();
  const app = new Romancy({ storage, logger, workflows: [deaf] });
  await app.start();
  await app.stop({ timeout: 50 });
  expect(logger.matching('could not remove the lease')).toHaveLength(1);
});

it('removes the row of an identity that it was about to take when the stop came', async () => {
  const database = createMemoryDatabase();
  let registrations = 0;
  let answer = (): void => undefined;
  let registered = (): void => undefined;
  const isRegistered = new Promise<void>((resolve) => (registered = resolve));
  const storage = withFaults(createMemoryStorage({ database }), {
    after: ({ name }) => {
      if (name !== 'leases.register' || ++registrations < 2) return undefined;
      registered();
      return new Promise<void>((resolve) => (answer = resolve));
    },
  });
  const app = new Romancy({ storage, logger: recordingLogger(), workflows: [deaf], workflowPollInterval: 10 });
  await app.start();
  database.workers.clear();
  await isRegistered;
  expect(database.workers.size).toBe(1);
  const stopped = app.stop();
  await settleTurns(50);
  answer();
  await stopped;
  expect(database.workers.size).toBe(0);
});

it('says so when that takes too long, and begins nothing when it is answered after all', async () => {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  let registrations = 0;
  let answer = (): void => undefined;
  const storage = withFaults(createMemoryStorage({ database }), {
    after: ({ name }) => {
      if (name !== 'leases.register' || ++registrations < 2) return undefined;
      return new Promise<void>((resolve) => (answer = resolve));
    },
  });
  const logger = recordingLogger();
  const app = new Romancy({ storage, logger, clock, workflows: [deaf] });
  await app.start();
  database.workers.clear();
  for (let turn = 0; registrations < 2; turn++) {
    expect(turn).toBeLessThan(100);
    await clock.advance(1000);
  }
  let isStopped = false;
  const stopped = app.stop().then(() => (isStopped = true));
  for (let turn = 0; !isStopped; turn++) {
    expect(turn).toBeLessThan(100);
    await clock.advance(1000);
  }
  await stopped;
  expect(logger.matching('could not remove the lease')).toHaveLength(1);
  answer();
  await settleTurns(50);
  expect(logger.matching('joined again')).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
