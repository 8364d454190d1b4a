// What a process asks its database for while 1,000 instances sleep and nothing happens.
import { defineWorkflow, Romancy } from '@romancy/core';
import { ownRow, type Measurement } from '../measurement.js';
import { pause } from '../pause.js';
import { countPerSecond } from '../places/statement-counter.js';

const sleepers = 1000;

const sleeping = defineWorkflow('bench_sleeping', async (ctx) => {
  await ctx.sleep('1h');
});

export const idle: Measurement = {
  name: 'idle',
  async run(place, { rounds, quick }) {
    const counted = await place.createCountedStorage('idle');
    const romancy = new Romancy({ storage: counted.storage, workflows: [sleeping] });
    try {
      await romancy.start();
      await Promise.all(Array.from({ length: sleepers }, () => romancy.startWorkflow(sleeping)));
      while (!(await allSleep(romancy))) await pause(50);
      // What a process does once after its last run, such as a last look for more, is over by then.
      await pause(1500);
      const perSecond: number[] = [];
      for (let round = 0; round < rounds; round++) perSecond.push(await countPerSecond(counted, quick ? 3000 : 6000));
      const what = `statements while ${sleepers.toLocaleString('en')} sleep, ${counted.how}`;
      // In SQLite a statement is a function call within the process: no server and no other process has to do with it.
      const target = place.kind === 'postgres' ? ({ of: 'romancy', bound: 'at most', value: 3 } as const) : null;
      return [ownRow({ what, unit: '1/s', target }, perSecond)];
    } finally {
      await romancy.stop();
      await counted.close();
    }
  },
};

/** Pages of the list follow each other until one says that nobody runs or is to run. */
async function allSleep(romancy: Romancy): Promise<boolean> {
  const { instances } = await romancy.list({ status: ['pending', 'running'], limit: 1 });
  return instances.length === 0;
}
