// A hundred thousand sleeps that end within a minute: how late each does, and how long the last takes.
import { defineWorkflow, Romancy, silentLogger } from '@romancy/core';
import { createPostgresStorage } from '@romancy/storage-postgres';
import { ownRow } from '../measurement.js';
import { until } from '../pause.js';
import { quantile } from '../statistics.js';
import { storageClock } from '../storage-clock.js';
import { connected } from '../wakeups/connected.js';
import { copyInstances, settleTables } from '../wakeups/copied-instances.js';
import { onServer } from './on-server.js';

/** Between two due times: as many a second as in the minute that is meant. */
const gapMs = 0.6;
/** For each of them to be made, in milliseconds, and for all besides. */
const makingMs = { each: 0.2, all: 3000 };

export const manyTimers = onServer('many-timers', async ({ url, emptySchema }, { quick }) => {
  const count = quick ? 2000 : 100_000;
  const schema = await emptySchema('many_timers');
  let first = Number.NaN;
  let now = await storageClock({ url });
  const lateness: number[] = [];
  const sleeper = defineWorkflow('bench_one_of_many', async (ctx) => {
    await ctx.sleep('30d');
    await ctx.run('woke_up', () => {
      const number = Number(ctx.instanceId.slice(ctx.instanceId.lastIndexOf('-') + 1));
      lateness.push(now() - (first + number * gapMs));
    });
  });
  const romancy = new Romancy({
    storage: createPostgresStorage({ connectionString: url, schema }),
    workflows: [sleeper],
    logger: silentLogger,
  });
  try {
    await romancy.start();
    const model = await romancy.startWorkflow(sleeper);
    await until('one that sleeps', () => romancy.status().running === 0);
    await connected(url, async (client) => {
      first = Math.ceil(now() + makingMs.all + count * makingMs.each);
      await copyInstances(client, {
        ...{ schema, instanceId: model.instanceId, name: 'timer', from: 1, to: count },
        due: { first, gapMs },
      });
      await settleTables(client, schema);
    });
    now = await storageClock({ url });
    if (now() > first) throw new Error('the timers could not be made before the first of them was due');
    const dueFor = count * gapMs;
    await until('all timers', () => lateness.length >= count, first - now() + dueFor + 120_000);
    const lag = now() - (first + dueFor);
    const what = `lateness of timers, ${count.toLocaleString('en')} due in ${Math.round(dueFor / 1000)} s`;
    const at =
      (part: number) =>
      (all: readonly number[]): number =>
        quantile(all, part);
    return [
      ownRow({ what: `${what}, median`, unit: 'ms' }, lateness, at(0.5)),
      ownRow({ what: `${what}, 99 of 100`, unit: 'ms' }, lateness, at(0.99)),
      ownRow({ what: 'after the last of them was due, until all had gone on', unit: 'ms' }, [lag]),
    ];
  } finally {
    await romancy.stop();
  }
});
