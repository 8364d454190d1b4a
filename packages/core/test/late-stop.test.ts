// A stop that runs out of time still removes the lease, so that others need not wait for it to run out.
import { expect, it } from 'vitest';
import { gate } from '../src/conformance/engine-gate.js';
import { defineWorkflow } from '../src/index.js';
import { ManualClock, settleTurns } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

const deaf = defineWorkflow('deaf', async (ctx) => {
  await ctx.run('never returns', () => new Promise<never>(() => undefined));
});

it('removes the lease after its time is over, though the database takes a while for that', async () => {
  const { romancy, database } = await openMemoryApp({
    workflows: [deaf],
    plan: { fault: ({ name }) => (name === 'leases.retire' ? { delayMs: 100 } : undefined) },
  });
  await romancy.startWorkflow(deaf, undefined, { instanceId: 'a' });
  await romancy.stop({ timeout: 50 });
  expect(database.instances.get('a')).toMatchObject({ status: 'pending', owner: null });
});

it('does not wait for ever for a database that has stopped answering', async () => {
  const { romancy, logger } = await openMemoryApp({
    workflows: [deaf],
    plan: { before: ({ name }) => (name === 'leases.retire' ? new Promise<never>(() => undefined) : undefined) },
  });
  await romancy.stop({ timeout: 50 });
  expect(logger.matching('could not remove the lease')).toHaveLength(1);
});

it('removes the row of an identity that it was about to take when the stop came', async () => {
  let registrations = 0;
  const [registered, answer] = [gate(), gate()];
  const { romancy, database } = await openMemoryApp({
    workflows: [deaf],
    workflowPollInterval: 10,
    plan: {
      async after({ name }) {
        if (name !== 'leases.register' || ++registrations < 2) return;
        registered.open();
        await answer.opened;
      },
    },
  });
  database.workers.clear();
  await registered.opened;
  expect(database.workers.size).toBe(1);
  const stopped = romancy.stop();
  await settleTurns(50);
  answer.open();
  await stopped;
  expect(database.workers.size).toBe(0);
});

it('says so when that takes too long, and begins nothing when it is answered after all', async () => {
  const clock = new ManualClock();
  let registrations = 0;
  const answer = gate();
  const { romancy, database, logger } = await openMemoryApp({
    clock,
    workflows: [deaf],
    plan: {
      async after({ name }) {
        if (name === 'leases.register' && ++registrations >= 2) await answer.opened;
      },
    },
  });
  database.workers.clear();
  for (let turn = 0; registrations < 2; turn++) {
    expect(turn).toBeLessThan(100);
    await clock.advance(1000);
  }
  let isStopped = false;
  const stopped = romancy.stop().then(() => (isStopped = true));
  for (let turn = 0; !isStopped; turn++) {
    expect(turn).toBeLessThan(100);
    await clock.advance(1000);
  }
  await stopped;
  expect(logger.matching('could not remove the lease')).toHaveLength(1);
  answer.open();
  await settleTurns(50);
  expect(logger.matching('joined again')).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
