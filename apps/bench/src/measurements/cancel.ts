// How long it takes to cancel an instance that waits: from the call until its end is known.
import { randomUUID } from 'node:crypto';
import { defineWorkflow, WorkflowCancelledError } from '@romancy/core';
import { alternate } from '../alternate.js';
import { comparedRow, type Measurement } from '../measurement.js';
import { pause, until } from '../pause.js';
import { sideBySide } from '../side-by-side.js';
import { quantilePair, type Pair } from '../statistics.js';
import { makeInput } from '../workload.js';

const waiting = defineWorkflow('bench_to_cancel', async (ctx) => {
  await ctx.waitEvent('bench.never');
});

export const cancel: Measurement = {
  name: 'cancel',
  run(place, { rounds, quick }) {
    const count = quick ? 20 : 100;
    return sideBySide(place, { label: 'cancel', workflows: [waiting], connections: 1 }, async ({ romancy, store }) => {
      const timed = async (act: () => Promise<unknown>): Promise<number> => {
        // What its being put away has brought with it is over by then.
        await pause(2);
        const began = performance.now();
        await act();
        return performance.now() - began;
      };
      const sides = {
        async romancy() {
          const run = await romancy.startWorkflow(waiting);
          await until('an instance that waits', () => romancy.status().running === 0);
          return await timed(async () => {
            await run.cancel();
            await run.result().catch((error: unknown) => {
              if (!(error instanceof WorkflowCancelledError)) throw error;
            });
          });
        },
        /** One commit; nobody has to be told, and nothing to be undone. */
        async raw() {
          const instanceId = randomUUID();
          await store.start(instanceId, JSON.stringify(makeInput()));
          return await timed(() => store.cancel(instanceId));
        },
      };
      await alternate(5, sides);
      const samples: (readonly Pair[])[] = [];
      for (let round = 0; round < rounds; round++) samples.push(await alternate(count, sides));
      const at = (part: number) => samples.map((round) => quantilePair(round, part));
      return [
        comparedRow({ what: 'cancellation of one that waits, until its end is known, median', unit: 'ms' }, at(0.5)),
        comparedRow({ what: 'the same, 99 of 100', unit: 'ms' }, at(0.99)),
      ];
    });
  },
};
