// A workflow that listens to a channel, for the cases of several subjects.
import { defineWorkflow, type WorkflowHandle } from '../index.js';
import type { EngineHarness, TestApp } from './engine-harness.js';

/** Receives so many messages and gives their data. */
export const listener = defineWorkflow('listener', async (ctx, count: number) => {
  await ctx.subscribe('news');
  const heard: unknown[] = [];
  while (heard.length < count) heard.push((await ctx.receive('news')).data);
  return heard;
});

/** One that is subscribed, and waits for so many. */
export async function waitingListener(order: {
  readonly harness: EngineHarness;
  readonly app: TestApp;
  readonly count: number;
  readonly instanceId: string;
}): Promise<WorkflowHandle<unknown[]>> {
  const { harness, app, count, instanceId } = order;
  const handle = await app.romancy.startWorkflow(listener, count, { instanceId });
  await harness.untilStatus(app, instanceId, 'waiting_for_message');
  return handle;
}
