// A reading that a part of an instance began, and that takes effect after the next part has begun, must not hide mail from that.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { gate } from '../src/conformance/engine-gate.js';
import { defineWorkflow, type WorkflowContext } from '../src/index.js';
import type { ProgressBatch } from '../src/ports/index.js';
import { ManualClock, settleTurns } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

it('lets the next part have what comes while it parks', async () => {
  const clock = new ManualClock();
  const [begun, read, park] = [gate(), gate(), gate()];
  const busy = gate();
  let [holdsReading, holdsPark] = [false, false];
  const workflow = defineWorkflow('two_parts', async (ctx: WorkflowContext, part: number): Promise<unknown> => {
    if (part === 1) return (await ctx.receive('news')).data;
    await ctx.subscribe('news', 'broadcast');
    await ctx.subscribe('other', 'broadcast');
    // Keeps the run in memory.
    await ctx.run('work', () => busy.opened);
    return await ctx.recur(1);
  });
  const { romancy, database } = await openMemoryApp({
    clock,
    workflows: [workflow],
    plan: {
      async before({ name, argument }) {
        if (name === 'runs.readSignals' && holdsReading) {
          holdsReading = false;
          begun.open();
          await read.opened;
        }
        if (name !== 'runs.commit' || !holdsPark || !(argument as ProgressBatch).settlements.some(({ type }) => type === 'park'))
          return;
        holdsPark = false;
        await park.opened;
      },
    },
  });
  const handle = await romancy.startWorkflow(workflow, 0, { instanceId: 'a' });
  const kinds = (): readonly string[] => database.instances.get('a')!.history.map(({ kind }) => kind);
  await eventually(() => kinds().filter((kind) => kind === 'subscribed').length === 2, { interval: 'turn' });

  holdsReading = true;
  await romancy.publish('other', 'read by nobody');
  await begun.opened;
  holdsPark = true;
  busy.open();
  await eventually(() => kinds().includes('carried_over'), { interval: 'turn' });
  // The next part may be on its way to be put away by now.
  await settleTurns(50);
  await romancy.publish('news', 'for the next part');
  read.open();
  await settleTurns(50);
  park.open();
  const result = handle.result();
  for (let round = 0; round < 100; round++) await clock.advance(100);
  expect(await Promise.race([result, settleTurns(50).then(() => 'nothing')])).toBe('for the next part');
});
