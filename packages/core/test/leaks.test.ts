// What was asked and answered leaves nothing in memory, however long an app lives.
import { defineWorkflow, Romancy, silentLogger, type WorkflowHandle } from '@romancy/core';
import { createMemoryStorage } from '@romancy/core/testing';
import { afterwards, collectGarbage } from '@romancy/test-support';
import { expect, it } from 'vitest';

const waiting = defineWorkflow('waiting', (ctx) => ctx.waitEvent('never'));
const quick = defineWorkflow('quick', () => 'done');

async function startedApp(): Promise<Romancy> {
  const romancy = new Romancy({ storage: createMemoryStorage(), workflows: [waiting, quick], logger: silentLogger });
  await romancy.start();
  afterwards(() => romancy.stop());
  return romancy;
}

/** Bytes that remain of each of so many calls, beyond what the first ones brought up. */
async function remains(calls: number, call: () => Promise<unknown>): Promise<number> {
  const batch = async (): Promise<number> => {
    for (let made = 0; made < calls; made += 250) await Promise.all(Array.from({ length: 250 }, call));
    // Timers that were taken back leave with the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  await batch();
  const before = await batch();
  return ((await batch()) - before) / calls;
}

const bytes = 200;

it.each<[string, (romancy: Romancy) => Promise<() => Promise<unknown>>]>([
  [
    'a result that was there in time',
    async (romancy) => {
      const { instanceId } = await romancy.startWorkflow(quick);
      await romancy.getHandle(instanceId).result();
      return () => romancy.getHandle(instanceId).result({ timeout: '1h' });
    },
  ],
  [
    'a result that did not come in time',
    async (romancy) => {
      const { instanceId } = await romancy.startWorkflow(waiting);
      return () =>
        romancy
          .getHandle(instanceId)
          .result({ timeout: 1 })
          .catch(() => undefined);
    },
  ],
  [
    'a cancellation that came again',
    async (romancy) => {
      const handle: WorkflowHandle<unknown> = await romancy.startWorkflow(waiting);
      return () => handle.cancel('again');
    },
  ],
])('nothing stays of %s', async (_what, prepare) => {
  const call = await prepare(await startedApp());
  expect(await remains(5000, call)).toBeLessThan(bytes);
});
