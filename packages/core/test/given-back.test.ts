// A message that the queue gave to an instance, and got back when its wait timed out, is not the instance's, though a reading under way still brings it.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { gate } from '../src/conformance/engine-gate.js';
import { defineWorkflow, type RomancyError, type WorkflowContext } from '../src/index.js';
import { ManualClock, settleTurns } from '../src/testing/index.js';
import { openMemoryApp } from './open-memory-app.js';

it('is received once, by the wait that asked for it anew', async () => {
  const clock = new ManualClock();
  const [read, answer, busy] = [gate(), gate(), gate()];
  let holds = false;
  const received = (ctx: WorkflowContext, timeout: number): Promise<string> =>
    ctx.receive<string>('jobs', { timeout }).then(
      ({ data }) => data,
      ({ code }: RomancyError) => code,
    );
  const workflow = defineWorkflow('receiver', async (ctx) => {
    await ctx.subscribe('jobs', 'competing');
    // Keeps the run in memory.
    const work = ctx.run('work', () => busy.opened);
    const heard = [await received(ctx, 50), await received(ctx, 5000), await received(ctx, 5000)];
    await work;
    return heard;
  });
  const { romancy, database } = await openMemoryApp({
    clock,
    workflows: [workflow],
    plan: {
      // The answer is made, and on its way.
      async after({ name }) {
        if (name !== 'runs.readSignals' || !holds) return;
        holds = false;
        read.open();
        await answer.opened;
      },
    },
  });
  const handle = await romancy.startWorkflow(workflow, undefined, { instanceId: 'a' });
  const instance = database.instances.get('a')!;
  await eventually(() => instance.seeks.size === 1, { interval: 'turn' });

  holds = true;
  await romancy.publish('jobs', 'the only one');
  expect(instance.mail).toHaveLength(1);
  await read.opened;
  await clock.advance(60);
  await eventually(() => instance.history.some(({ kind }) => kind === 'receive_timed_out'), { interval: 'turn' });
  await settleTurns(20);
  answer.open();
  await settleTurns(20);
  await clock.advance(6000);
  await clock.advance(6000);
  busy.open();
  await settleTurns(20);
  const result = handle.result();
  await clock.advance(100);
  expect(await result).toEqual(['WAIT_TIMEOUT', 'the only one', 'WAIT_TIMEOUT']);
  expect(database.topics.get('channel:jobs')?.queue ?? []).toEqual([]);
});
