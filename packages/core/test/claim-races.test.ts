// An instance that this worker puts away and gets back before it knows that it was put away: nothing of it is lost.
import { expect, it } from 'vitest';
import { gate, type Gate } from '../src/conformance/engine-gate.js';
import { defineWorkflow, StorageUnavailableError } from '../src/index.js';
import type { ProgressBatch } from '../src/ports/index.js';
import { createMemoryDatabase } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

const holding = defineWorkflow('holding', async (ctx) => {
  await ctx.sleep(20);
  await ctx.run('hold', ({ signal }) => {
    begun.open();
    return new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
});
let begun: Gate;
const napping = defineWorkflow('napping', async (ctx) => {
  await ctx.sleep(20);
  return await ctx.run('after', () => 'awake');
});

/** Polls so often that the instance is claimed as soon as it is due, though the answer to its park takes longer. */
const often = { workflows: [napping, holding], workflowPollInterval: 10 };

function isPark(argument: unknown): boolean {
  return (argument as ProgressBatch).settlements.some(({ type }) => type === 'park');
}

it('runs again when it is claimed before the answer to its park has come', async () => {
  const { romancy, logger } = await openMemoryApp({
    ...often,
    plan: { fault: ({ name, argument }) => (name === 'runs.commit' && isPark(argument) ? { answerDelayMs: 150 } : undefined) },
  });
  const handle = await romancy.startWorkflow(napping);
  expect(await handle.result({ timeout: '5s' })).toBe('awake');
  expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

it('is known here by the run that it has then, not by the one that was put away', async () => {
  begun = gate();
  const [claimedAgain, toldOfPark] = [gate(), gate()];
  const database = createMemoryDatabase();
  const { romancy } = await openMemoryApp({
    ...often,
    database,
    plan: {
      async after({ name, argument }) {
        if (name === 'runs.claim' && database.instances.get('held')?.claims === 2) claimedAgain.open();
        if (name !== 'runs.commit' || !isPark(argument)) return;
        await claimedAgain.opened;
        // The claim is answered before the park.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        toldOfPark.open();
      },
    },
  });
  const handle = await romancy.startWorkflow(holding, undefined, { instanceId: 'held' });
  await Promise.all([begun.opened, toldOfPark.opened]);
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(romancy.status().running).toBe(1);
  }
  await handle.cancel('enough');
  await expect(handle.result({ timeout: '5s' })).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED' });
});

it('runs again when that claim, too, did not get its answer', async () => {
  const database = createMemoryDatabase();
  let lost = false;
  const { romancy } = await openMemoryApp({
    ...often,
    database,
    plan: {
      fault: ({ name, argument }) => (name === 'runs.commit' && isPark(argument) ? { answerDelayMs: 150 } : undefined),
      after({ name }) {
        if (name !== 'runs.claim' || lost || (database.instances.get('twice')?.claims ?? 0) < 2) return;
        lost = true;
        throw new StorageUnavailableError('the claim took effect, and its answer was lost');
      },
    },
  });
  const handle = await romancy.startWorkflow(napping, undefined, { instanceId: 'twice' });
  expect(await handle.result({ timeout: '5s' })).toBe('awake');
  expect(lost).toBe(true);
});
