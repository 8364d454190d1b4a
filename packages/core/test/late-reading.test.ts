// A reading that a part of an instance began, and that takes effect after the next part has begun, must not hide mail from that.
import { eventually } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy, type WorkflowContext } from '../src/index.js';
import {
  createMemoryDatabase,
  createMemoryStorage,
  ManualClock,
  recordingLogger,
  settleTurns,
  withFaults,
} from '../src/testing/index.js';
import type { ProgressBatch } from '../src/ports/index.js';

it('lets the next part have what comes while it parks', async () => {
  const database = createMemoryDatabase();
  const clock = new ManualClock();
  let readsLate: (() => void) | undefined;
  let parks: (() => void) | undefined;
  let holdsReading = false;
  const storage = withFaults(createMemoryStorage({ database }), {
    before: ({ name, argument }) => {
      if (name === 'runs.readSignals' && holdsReading) {
        holdsReading = false;
        return new Promise<void>((resolve) => (readsLate = resolve));
      }
      const isPark = name === 'runs.commit' && (argument as ProgressBatch).settlements.some(({ type }) => type === 'park');
      if (!isPark || readsLate === undefined || parks !== undefined) return undefined;
      return new Promise<void>((resolve) => (parks = resolve));
    },
  });
  let finish = (): void => undefined;
  const busy = new Promise<void>((resolve) => (finish = resolve));
  const workflow = defineWorkflow('two_parts', async (ctx: WorkflowContext, part: number): Promise<unknown> => {
    if (part === 1) return (await ctx.receive('news')).data;
    await ctx.subscribe('news', 'broadcast');
    await ctx.subscribe('other', 'broadcast');
    // Keeps the run in memory.
    await ctx.run('work', () => busy);
    return await ctx.recur(1);
  });
  const app = new Romancy({ storage, clock, logger: recordingLogger(), workflows: [workflow] });
  const started = app.start();
  await settleTurns(20);
  await started;
  const handle = await app.startWorkflow(workflow, 0, { instanceId: 'a' });
  const kinds = (): readonly string[] => database.instances.get('a')!.history.map(({ kind }) => kind);
  await eventually(() => kinds().filter((kind) => kind === 'subscribed').length === 2, { interval: 'turn' });

  holdsReading = true;
  await app.publish('other', 'read by nobody');
  await eventually(() => readsLate !== undefined, { interval: 'turn' });
  finish();
  await eventually(() => kinds().includes('carried_over'), { interval: 'turn' });
  // The next part may be on its way to be put away by now.
  await settleTurns(50);
  await app.publish('news', 'for the next part');
  readsLate!();
  await settleTurns(50);
  parks?.();
  const result = handle.result();
  for (let round = 0; round < 100; round++) await clock.advance(100);
  expect(await Promise.race([result, settleTurns(50).then(() => 'nothing')])).toBe('for the next part');
  const stopped = app.stop();
  await clock.advance(100);
  await stopped;
});
