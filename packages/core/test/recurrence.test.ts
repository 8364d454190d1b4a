// An instance that recurs ten thousand times holds no more, asks for no more and takes no longer than one that recurs once.
import { collectGarbage } from '@romancy/test-support';
import { expect, it } from 'vitest';
import { defineWorkflow, Romancy } from '../src/index.js';
import { createMemoryDatabase, createMemoryStorage, recordingLogger, withFaults } from '../src/testing/index.js';

it('ten thousand recurrences grow nothing but the rows that are kept of them', { timeout: 120_000 }, async () => {
  const database = createMemoryDatabase();
  const storage = withFaults(createMemoryStorage({ database }));
  const [last, every] = [10_000, 1000];
  const seen: { readonly calls: number; readonly heap: number }[] = [];
  const workflow = defineWorkflow('endless', async (ctx, part: number): Promise<number> => {
    if (part === 0) await ctx.subscribe('news');
    await ctx.run('step', () => part);
    if (part % every === 0) {
      // What the database keeps is the database's: a real one has it elsewhere.
      for (const { instanceId } of [...database.ended]) database.instances.delete(instanceId);
      database.ended.clear();
      const instance = database.instances.get('i')!;
      instance.history.splice(0, instance.history.length - 2);
      collectGarbage();
      seen.push({ calls: storage.count(), heap: process.memoryUsage().heapUsed });
    }
    return part === last ? part : await ctx.recur(part + 1);
  });
  const app = new Romancy({
    storage,
    workflows: [workflow],
    logger: recordingLogger(),
    workflowPollInterval: '1h',
    timerPollInterval: '1h',
  });
  await app.start();
  const handle = await app.startWorkflow(workflow, 0, { instanceId: 'i' });
  expect(await handle.result()).toBe(last);
  const calls = seen.slice(1).map((one, index) => one.calls - seen[index]!.calls);
  // A commit for the step, one for the recurrence, and a look at what came meanwhile.
  for (const each of calls) expect(each / every).toBeLessThan(3.2);
  // The first thousand warm up.
  const grown = (seen.at(-1)!.heap - seen[1]!.heap) / (last - every);
  // What is kept of each would be an object and its place in a list or map, a hundred bytes at the least; the heap itself is measured to half of that.
  expect(grown, 'bytes for each recurrence').toBeLessThan(100);
  expect(app.status().running).toBe(0);
  await app.stop();
});
