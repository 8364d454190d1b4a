// The workflow that waits for one event and tells when it goes on; and what it is to be asleep, and to be woken.
import { defineWorkflow, type Romancy } from '@romancy/core';
import { until } from '../pause.js';

/** @param wentOn is called with the instance's id in the line after the wait. */
export function waiting(wentOn: (instanceId: string) => void) {
  return defineWorkflow('bench_waiting', async (ctx) => {
    await ctx.waitEvent('bench.go', { timeout: '30d' });
    wentOn(ctx.instanceId);
  });
}

/**
 * Starts so many, and resolves with their ids when all of them have been put away to wait.
 * @param workflow as the app itself serves it; left out: others do.
 */
export async function startWaiting(romancy: Romancy, count: number, workflow = waiting(() => undefined)): Promise<string[]> {
  const runs = await Promise.all(Array.from({ length: count }, () => romancy.startWorkflow(workflow)));
  await until(
    'instances that wait',
    async () => {
      const { instances } = await romancy.list({ status: ['pending', 'running'], limit: 1 });
      return instances.length === 0;
    },
    120_000,
  );
  return runs.map(({ instanceId }) => instanceId);
}

/** Sends one of them what it waits for. When this resolves it is committed. */
export async function wake(romancy: Romancy, instanceId: string): Promise<void> {
  await romancy.sendEvent({ type: 'bench.go', source: '/bench', instanceId });
}
