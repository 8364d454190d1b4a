// A message that the queue gave to an instance, and got back when its wait timed out, is not the instance's, though a reading under way still brings it.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy, type RomancyError, type WorkflowContext } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  settleTurns,
  withFaults,
} from '../src/testing/index.js';

it('is received once, by the wait that asked for it anew', async () => {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  let answer: (() => void) | undefined;
  let holds = false;
  const storage = withFaults(createMemoryStorage({ database }), {
    // The answer is made, and on its way.
    after: ({ name }) => {
      if (name !== 'runs.readSignals' || !holds) return undefined;
      holds = false;
      return new Promise<void>((resolve) => (answer = resolve));
    },
  });
  let finish = (): void => undefined;
  const busy = new Promise<void>((resolve) => (finish = resolve));
  const received = (ctx: WorkflowContext, timeout: number): Promise<string> =>
    ctx.receive<string>('jobs', { timeout }).then(
      ({ data }) => data,
      ({ code }: RomancyError) => code,
    );
  const workflow = defineWorkflow('receiver', async (ctx) => {
    await ctx.subscribe('jobs', 'competing');
    // Keeps the run in memory.
    const work = ctx.run('work', () => busy);
    const heard = [await received(ctx, 50), await received(ctx, 5000), await received(ctx, 5000)];
    await work;
    return heard;
  });
  const app = new Romancy({ storage, clock, logger: recordingLogger(), workflows: [workflow] });
  const started = app.start();
  await settleTurns(20);
  await started;
  const handle = await app.startWorkflow(workflow, undefined, { instanceId: 'a' });
  const instance = database.instances.get('a')!;
  await eventually(() => instance.seeks.size === 1, { interval: 'turn' });

  holds = true;
  await app.publish('jobs', 'the only one');
  expect(instance.mail).toHaveLength(1);
  await eventually(() => answer !== undefined, { interval: 'turn' });
  await clock.advance(60);
  await eventually(() => instance.history.some(({ kind }) => kind === 'receive_timed_out'), { interval: 'turn' });
  await settleTurns(20);
  answer!();
  await settleTurns(20);
  await clock.advance(6000);
  await clock.advance(6000);
  finish();
  await settleTurns(20);
  const result = handle.result();
  await clock.advance(100);
  expect(await result).toEqual(['WAIT_TIMEOUT', 'the only one', 'WAIT_TIMEOUT']);
  expect(database.topics.get('channel:jobs')?.queue ?? []).toEqual([]);
  const stopped = app.stop();
  await clock.advance(100);
  await stopped;
});
