// A real app in memory, with a workflow that gives back the events that it was sent.
import { defineWorkflow, Romancy, silentLogger, type ReceivedEvent } from '@romancy/core';
import { createMemoryDatabase, createMemoryStorage, withFaults, type FaultyStorage } from '@romancy/core/testing';
import { afterwards } from '@romancy/test-support';

/** Waits for so many events of one type, and gives them. */
export const collect = defineWorkflow('collect', async (ctx, input: { readonly type: string; readonly count: number }) => {
  const events: ReceivedEvent[] = [];
  while (events.length < input.count) events.push(await ctx.waitEvent(input.type));
  return events;
});

/** Started; stopped when the test ends. */
export async function startCollectingApp(): Promise<{ readonly app: Romancy; readonly storage: FaultyStorage }> {
  const storage = withFaults(createMemoryStorage({ database: createMemoryDatabase() }));
  const app = new Romancy({ storage, workflows: [collect], logger: silentLogger });
  await app.start();
  afterwards(async () => {
    storage.setDown(false);
    await app.stop({ timeout: 1000 });
  });
  return { app, storage };
}
