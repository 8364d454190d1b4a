// What it costs to go on with a workflow that was put away, with 100 and with 1,000 steps behind it.
import { randomUUID } from 'node:crypto';
import { defineWorkflow } from '@romancy/core';
import { alternate } from '../alternate.js';
import { comparedRow, type Measurement } from '../measurement.js';
import type { RawStore } from '../raw/raw-store.js';
import { sideBySide } from '../side-by-side.js';
import { median } from '../statistics.js';
import { makeInput, takeStep, type OrderInput } from '../workload.js';

const eventType = 'bench.go_on';
const lengths = [100, 1000] as const;
/** So many steps share a commit while the history is made; that part is not measured. */
const together = 50;

const replayed = defineWorkflow('bench_replayed', async (ctx, { input, steps }: { input: OrderInput; steps: number }) => {
  const chunk = Array.from({ length: together });
  for (let done = 0; done < steps; done += together)
    await Promise.all(chunk.map(() => ctx.run('step', () => takeStep('step', input))));
  await ctx.waitEvent(eventType);
});

/** An instance by hand with so many results. */
async function prepareByHand(store: RawStore, steps: number): Promise<string> {
  const instanceId = randomUUID();
  const input = makeInput();
  await store.start(instanceId, JSON.stringify(input));
  const data = JSON.stringify(await takeStep('step', input));
  const writing = Array.from({ length: steps }, (_, index) => store.step({ instanceId, seq: index + 1, name: 'step', data }));
  await Promise.all(writing);
  return instanceId;
}

/**
 * By hand: all results are read and parsed, and the end is written. That is all that could be done without a library, and less than is
 * needed: what the code does between the steps is not done again.
 */
async function goOnByHand(store: RawStore, instanceId: string, steps: number): Promise<void> {
  const results = (await store.history(instanceId)).map((text) => JSON.parse(text) as unknown);
  const data = JSON.stringify(results.at(-1));
  await store.lastStep({ instanceId, seq: steps + 1, name: 'go_on', data }, data);
}

/** The median of several, in milliseconds. */
async function medianTime(prepared: readonly (() => Promise<void>)[]): Promise<number> {
  const taken: number[] = [];
  for (const goOn of prepared) {
    const began = performance.now();
    await goOn();
    taken.push(performance.now() - began);
  }
  return median(taken);
}

export const replay: Measurement = {
  name: 'replay',
  run(place, { rounds, quick }) {
    const many = Array.from({ length: quick ? 3 : 10 });
    const options = { label: 'replay', workflows: [replayed], connections: 16 };
    return sideBySide(place, options, async ({ romancy, store }) => {
      const rows = [];
      for (const steps of lengths) {
        const sides = {
          romancy: async () => {
            const runs = await Promise.all(many.map(() => romancy.startWorkflow(replayed, { input: makeInput(), steps })));
            for (const run of runs) while ((await run.status()) !== 'waiting_for_event') await pause();
            return medianTime(
              runs.map((run) => async () => {
                await romancy.sendEvent({ type: eventType, source: 'bench', instanceId: run.instanceId });
                await run.result();
              }),
            );
          },
          raw: async () => {
            const ids = await Promise.all(many.map(() => prepareByHand(store, steps)));
            return medianTime(ids.map((instanceId) => () => goOnByHand(store, instanceId, steps)));
          },
        };
        await alternate(1, sides);
        const what = `going on after an event, ${steps.toLocaleString('en')} steps behind`;
        rows.push(comparedRow({ what, unit: 'ms' }, await alternate(rounds, sides)));
      }
      return rows;
    });
  },
};

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
